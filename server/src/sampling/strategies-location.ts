// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { Agent, get } from 'node:https';
import { SpoorError } from '@spoor/core/model/errors.ts';
import { fileProblem } from '#net/file-problem.ts';
import type { ClientTls } from '#net/tls/client-tls.ts';

/** Longest wait for a server that has the strategies. */
const FETCH_TIMEOUT_MS = 1000;

/** More is not read. */
const MAX_BYTES = 16 << 20;

/** Where a strategies file is: on this machine, or at an address. */
export class StrategiesLocation {
  readonly #location: string;
  readonly #tls: ClientTls | undefined;
  /** Keeps the connection from one look to the next. */
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });

  /**
   * @param location path, or address with http or https
   * @param tls for https; undefined: as Node does it
   */
  constructor(location: string, tls: ClientTls | undefined) {
    this.#location = location;
    this.#tls = tls;
  }

  /** Whether it is at an address, whose server may come later. */
  get isAddress(): boolean {
    return /^https?:\/\//i.test(this.#location);
  }

  /** @throws {SpoorError} config: the files for TLS cannot be read */
  async start(): Promise<void> {
    await this.#tls?.start();
  }

  /** Safe before start and more than once. */
  shutdown(): void {
    this.#tls?.shutdown();
    this.#agent.destroy();
  }

  /**
   * The text of the file, now.
   * @throws {SpoorError} config: it cannot be read
   */
  async read(): Promise<string> {
    const location = this.#location;
    if (!this.isAddress) {
      return readFile(location, 'utf8').catch((error: unknown) => {
        throw new SpoorError('config', `sampling strategies: ${fileProblem(location, error)}`);
      });
    }
    try {
      return await this.#fetchText();
    } catch (error) {
      const { message } = error as Error;
      throw new SpoorError('config', `sampling strategies: ${location}: ${message}`, {
        cause: error,
      });
    }
  }

  async #fetchText(): Promise<string> {
    const signal = AbortSignal.timeout(FETCH_TIMEOUT_MS);
    const url = this.#location;
    if (this.#tls !== undefined && /^https:/i.test(url)) {
      const request = get(url, { ...this.#tls.options, agent: this.#agent, signal });
      const [response] = (await once(request, 'response')) as [IncomingMessage];
      return textOf(response.statusCode ?? 0, response);
    }
    const response = await fetch(url, { signal });
    return textOf(response.status, response.body ?? []);
  }
}

/** A server that answers 503 has no strategies now, which is not an error. */
async function textOf(
  status: number,
  body: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): Promise<string> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of body) {
    length += piece.length;
    if (length > MAX_BYTES) throw new Error(`more than ${MAX_BYTES} bytes`);
    pieces.push(piece);
  }
  if (status === 503) return 'null';
  if (status !== 200) throw new Error(`status ${status}`);
  return Buffer.concat(pieces).toString('utf8');
}
