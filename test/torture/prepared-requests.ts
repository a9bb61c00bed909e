// SPDX-License-Identifier: Apache-2.0
import { closeSync, fsyncSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import type { WireRequest } from './flood-transport.ts';

/** A request with its number in the plan. */
export interface NumberedRequest {
  readonly number: number;
  readonly request: WireRequest;
}

/** Where a request lies in the file. */
interface Place {
  readonly number: number;
  readonly isCompressed: boolean;
  readonly offset: number;
  readonly length: number;
}

/** Requests that were made before they are needed, in a file: making one costs twenty times what sending it does. */
export class PreparedRequests {
  readonly #path: string;
  readonly #file: number;
  readonly #places: Place[] = [];
  #next = 0;
  #end = 0;

  constructor(path: string) {
    this.#path = path;
    this.#file = openSync(path, 'w+');
  }

  /** Requests that wait. */
  get count(): number {
    return this.#places.length - this.#next;
  }

  add({ number, request }: NumberedRequest): void {
    const { isCompressed, bytes } = request;
    writeSync(this.#file, bytes, 0, bytes.length, this.#end);
    this.#places.push({ number, isCompressed, offset: this.#end, length: bytes.length });
    this.#end += bytes.length;
  }

  /** Waits until the device has all of it, so that it is free for the server. */
  sync(): void {
    fsyncSync(this.#file);
  }

  /** The next one, or undefined when there is none. */
  take(): NumberedRequest | undefined {
    const place = this.#places[this.#next];
    if (place === undefined) return undefined;
    this.#next++;
    const { number, isCompressed, offset, length } = place;
    const bytes = Buffer.allocUnsafeSlow(length);
    readSync(this.#file, bytes, 0, length, offset);
    return { number, request: { isCompressed, bytes } };
  }

  /** Removes the file. */
  close(): void {
    closeSync(this.#file);
    rmSync(this.#path);
  }
}
