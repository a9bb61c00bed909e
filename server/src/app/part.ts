// SPDX-License-Identifier: Apache-2.0
import type { Endpoint } from '#config/endpoint.ts';
import type { ServerTls } from '#net/tls/server-tls.ts';

/** A part of the process that is started and shut down. */
export interface Part {
  /** Path of its section in the configuration. */
  readonly path: string;
  start(): Promise<void>;
  /** Lets what runs finish until the deadline, in ms from now, then cuts it; safe at any time. */
  shutdown(deadlineMs: number): Promise<void>;
}

/** A part that listens on a port. */
export interface Listener extends Part {
  /** How the log and `/status` call it. */
  readonly name: string;
  /** Whether it speaks HTTP that a browser could open. */
  readonly http: boolean;
  /** What was configured. */
  readonly endpoint: Endpoint;
  /** Where it listens, or undefined while it does not. */
  readonly address: Endpoint | undefined;
  /** Undefined where it speaks plain text. */
  readonly tls: ServerTls | undefined;
}

/** Whether a part listens on a port. */
export function isListener<P extends Part>(part: P): part is P & Listener {
  return 'endpoint' in part;
}

/** A server as a part of the process. */
export function listenerOf(
  place: Pick<Listener, 'name' | 'path' | 'http' | 'endpoint'>,
  server: Pick<Listener, 'address' | 'start' | 'shutdown'> & Partial<Pick<Listener, 'tls'>>,
): Listener {
  return {
    ...place,
    get address() {
      return server.address;
    },
    tls: server.tls,
    start: () => server.start(),
    shutdown: (deadlineMs) => server.shutdown(deadlineMs),
  };
}
