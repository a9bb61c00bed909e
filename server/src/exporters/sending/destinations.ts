// SPDX-License-Identifier: Apache-2.0
import { messageOf } from '@spoor/core/model/errors.ts';
import { lookup } from 'node:dns/promises';
import { isIP, isIPv4 } from 'node:net';
import { LogThrottle, type Logger } from '#net/logger.ts';
import { afterTimeout, type Later } from '#later.ts';
import { CircuitBreaker, type BreakerSettings } from './circuit-breaker.ts';
import type { ServerAddress, ServerPlace, Transport } from './transport.ts';

/** One server that spans are sent to. */
export interface Destination {
  /** Address and port, with the name of the host where it has one. */
  readonly name: string;
  readonly transport: Transport;
  readonly breaker: CircuitBreaker;
}

/** The servers of an exporter, and the ways to them. */
export interface DestinationList {
  /** Empty while no server is known. */
  readonly list: readonly Destination[];
  /** Times that breakers opened, of servers that are gone too. */
  readonly openings: number;
  /** Resolves once requests can be sent, whether or not a server is there. @throws {SpoorError} config */
  start(): Promise<void>;
  /** Closes the ways to all servers once their requests have ended. */
  close(): Promise<void> | void;
}

/** Options of {@link Destinations}. */
export interface DestinationsOptions {
  /** Configured servers: each a name, which may have several addresses, or an address. */
  readonly servers: readonly ServerPlace[];
  /** How often names are looked up, in ms. */
  readonly resolveIntervalMs: number;
  readonly breaker: BreakerSettings;
  /** Makes the way to a server; it is closed when its name no longer has the address. */
  readonly connect: (address: ServerAddress, name: string) => Transport;
  readonly logger: Pick<Logger, 'warn'>;
  /** All addresses of a host; the system's way unless told. */
  readonly resolve?: (host: string) => Promise<readonly string[]>;
  readonly later?: Later;
  /** Monotonic clock in ms. */
  readonly nowMs?: () => number;
}

/** Addresses of one name that are used: a mistake in DNS must not make thousands of connections. */
const MAX_ADDRESSES = 256;

const LOG_INTERVAL_MS = 60_000;

/** The servers of an exporter: every address of every name, looked up again and again. */
export class Destinations implements DestinationList {
  readonly #options: DestinationsOptions;
  readonly #later: Later;
  readonly #nowMs: () => number;
  readonly #throttle = new LogThrottle(LOG_INTERVAL_MS);
  #list: readonly Destination[] = [];
  /** Addresses of each server when they could be looked up last. */
  readonly #ips: (readonly string[])[];
  #cancel: (() => void) | undefined;
  #isClosed = false;
  #removedOpenings = 0;

  constructor(options: DestinationsOptions) {
    this.#options = options;
    this.#later = options.later ?? afterTimeout;
    this.#nowMs = options.nowMs ?? (() => performance.now());
    this.#ips = options.servers.map(() => []);
  }

  /** In the order of the configuration, then of addresses; empty while no name has one. */
  get list(): readonly Destination[] {
    return this.#list;
  }

  get openings(): number {
    return this.#list.reduce((sum, { breaker }) => sum + breaker.opened, this.#removedOpenings);
  }

  /** Looks all names up, from now on again and again. A name that is unknown is no error: it may become known. */
  async start(): Promise<void> {
    await this.#refresh();
    if (this.#isClosed || this.#options.servers.every(({ host }) => isIP(host) !== 0)) return;
    const again = (): void => {
      if (this.#isClosed) return;
      this.#cancel = this.#later(
        () => void this.#refresh().then(again),
        this.#options.resolveIntervalMs,
      );
    };
    again();
  }

  close(): void {
    this.#isClosed = true;
    this.#cancel?.();
    for (const { transport } of this.#list) transport.close();
  }

  async #refresh(): Promise<void> {
    await Promise.all(this.#options.servers.map(({ host }, i) => this.#look(host, i)));
    if (this.#isClosed) return;
    const before = new Map(this.#list.map((destination) => [destination.name, destination]));
    const after = new Map<string, Destination>();
    for (const [i, server] of this.#options.servers.entries()) {
      for (const ip of this.#ips[i]!) {
        const address = { ...server, ip };
        const name = nameOf(address);
        if (!after.has(name)) after.set(name, before.get(name) ?? this.#connect(name, address));
      }
    }
    for (const [name, { transport, breaker }] of before) {
      if (after.has(name)) continue;
      this.#removedOpenings += breaker.opened;
      transport.close();
    }
    this.#list = [...after.values()];
  }

  #connect(name: string, address: ServerAddress): Destination {
    const { connect, breaker } = this.#options;
    return {
      name,
      transport: connect(address, name),
      breaker: new CircuitBreaker(breaker, this.#nowMs),
    };
  }

  /** When a name cannot be looked up, the addresses stay that it had. */
  async #look(host: string, server: number): Promise<void> {
    if (isIP(host) !== 0) {
      this.#ips[server] = [host];
      return;
    }
    try {
      const all = new Set(await (this.#options.resolve ?? allAddresses)(host));
      // A host with addresses of both kinds is one server, and often listens on the older kind only.
      const older = [...all].filter(isIPv4);
      const ips = older.length > 0 ? older : [...all];
      // In one order, since servers of names answer in a new one each time.
      this.#ips[server] = ips.toSorted().slice(0, MAX_ADDRESSES);
    } catch (error) {
      this.#throttle.log((suppressed) =>
        this.#options.logger.warn(
          { suppressed },
          `${host} cannot be looked up: ${messageOf(error)}`,
        ),
      );
    }
  }
}

function nameOf({ host, port, ip, path }: ServerAddress): string {
  const address = isIP(ip) === 6 ? `[${ip}]` : ip;
  return `${address}:${port}${path}${ip === host ? '' : ` (${host})`}`;
}

async function allAddresses(host: string): Promise<string[]> {
  return (await lookup(host, { all: true })).map(({ address }) => address);
}
