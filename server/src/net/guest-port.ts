// SPDX-License-Identifier: Apache-2.0
import type { Server, Socket } from 'node:net';
import { SpoorError } from '@spoor/core/model/errors.ts';
import type { ConnectionEnd, GrpcPort } from './listening-socket.ts';

/** Every HTTP/2 connection begins with `PRI * HTTP/2.0`; no method of HTTP/1.1 begins so. */
const HTTP2_PREFACE = Buffer.from('PRI');

const NOTHING = Buffer.alloc(0);

/**
 * A gRPC server's place on a port that a server of HTTP/1.1 listens on: connections that begin as HTTP/2 does are the guest's. It
 * lives as long as its host; where that speaks TLS, connections come here when their handshake is done.
 */
export class GuestPort implements GrpcPort {
  readonly tls = undefined;
  readonly address = undefined;
  readonly dropped = 0;
  readonly #name: string;
  readonly #open = new Set<Socket>();
  /** Of which nothing has come yet. */
  readonly #silent = new Set<Socket>();
  #server: Server | undefined;
  #ended: (() => void) | undefined;
  #isStopped = false;

  /** @param name how errors call it */
  constructor(name: string) {
    this.#name = name;
  }

  start(create: () => Server): Promise<void> {
    if (this.#isStopped) {
      return Promise.reject(new SpoorError('unavailable', `${this.#name}: already shut down`));
    }
    this.#server ??= create();
    return Promise.resolve();
  }

  async shutdown(deadlineMs: number, { finish, cut }: ConnectionEnd): Promise<void> {
    this.#isStopped = true;
    this.endSilent();
    if (this.#server === undefined || this.#open.size === 0) return;
    const ended = new Promise<void>((resolve) => {
      this.#ended = resolve;
    });
    const timer = setTimeout(cut, deadlineMs);
    finish();
    await ended;
    clearTimeout(timer);
  }

  /**
   * Has the connections of the host, which has all its handlers, come through here first.
   * @param timeoutMs after which a connection is closed of which nothing has come
   */
  share(host: Server, timeoutMs: number): void {
    // Those of a server of connections take a socket.
    const handlers = host.listeners('connection') as ((socket: Socket) => void)[];
    host.removeAllListeners('connection');
    host.on('connection', (socket: Socket) => {
      this.#silent.add(socket);
      const end = (): void => void socket.destroy();
      const timer = setTimeout(end, timeoutMs);
      timer.unref();
      const forget = (): void => {
        clearTimeout(timer);
        this.#silent.delete(socket);
        socket.off('error', end).off('end', end).off('close', forget).off('readable', look);
      };
      let first = NOTHING;
      const look = (): void => {
        const piece = socket.read() as Buffer | null;
        if (piece === null) return;
        first = Buffer.concat([first, piece]);
        const isHttp2 = first.subarray(0, HTTP2_PREFACE.length).equals(HTTP2_PREFACE);
        if (!isHttp2 && HTTP2_PREFACE.subarray(0, first.length).equals(first)) return;
        forget();
        socket.unshift(first);
        if (isHttp2) this.#take(socket);
        else for (const handler of handlers) handler.call(host, socket);
      };
      socket.on('error', end).on('end', end).on('close', forget).on('readable', look);
    });
  }

  /** Closes the connections of which nothing has come yet. */
  endSilent(): void {
    for (const socket of this.#silent) socket.destroy();
  }

  /** Closes all connections of the guest. */
  cut(): void {
    for (const socket of this.#open) socket.destroy();
  }

  #take(socket: Socket): void {
    if (this.#server === undefined || this.#isStopped) {
      socket.destroy();
      return;
    }
    this.#open.add(socket);
    socket.once('close', () => {
      this.#open.delete(socket);
      if (this.#open.size === 0) this.#ended?.();
    });
    this.#server.emit('connection', socket);
  }
}
