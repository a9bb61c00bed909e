// SPDX-License-Identifier: Apache-2.0
import http from 'node:http';

/** An answer that was read to its end. */
export interface QueryAnswer {
  readonly status: number;
  readonly body: string;
  readonly ms: number;
}

/** Asks one question after the other over one connection. */
export class QueryClient {
  readonly #agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  readonly #base: string;

  /** @param base URL of the query port */
  constructor(base: string) {
    this.#base = base;
  }

  /** @throws {Error} when the connection breaks */
  async get(path: string): Promise<QueryAnswer> {
    const startMs = performance.now();
    return await new Promise((resolve, reject) => {
      const request = http.get(`${this.#base}${path}`, { agent: this.#agent }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const ms = performance.now() - startMs;
          resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString(), ms });
        });
      });
      request.on('error', reject);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}
