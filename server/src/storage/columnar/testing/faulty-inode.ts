// SPDX-License-Identifier: Apache-2.0
import type { PowerLoss } from './faulty-files.ts';

/** Pieces that a device writes whole. */
const SECTOR_BYTES = 512;

/** A file in memory that knows what of it is on the platter. */
export class Inode {
  #bytes: Uint8Array;
  #size: number;
  #durable: Uint8Array;
  /** Numbers of the sectors that the next sync writes. */
  readonly #dirty = new Set<number>();

  /** With a content it is durable. */
  constructor(content: Uint8Array = new Uint8Array(0)) {
    this.#bytes = content.slice();
    this.#size = content.length;
    this.#durable = content.slice();
  }

  get size(): number {
    return this.#size;
  }

  content(): Uint8Array {
    return this.#bytes.slice(0, this.#size);
  }

  read(into: Uint8Array, position: number): number {
    const from = this.#bytes.subarray(position, Math.min(this.#size, position + into.length));
    into.set(from);
    return from.length;
  }

  write(bytes: Uint8Array, position: number): void {
    const start = Math.min(this.#size, position);
    const end = position + bytes.length;
    if (end > this.#bytes.length) {
      const grown = new Uint8Array(end * 2);
      grown.set(this.#bytes.subarray(0, this.#size));
      this.#bytes = grown;
    }
    this.#bytes.fill(0, start, position);
    this.#bytes.set(bytes, position);
    this.#size = Math.max(this.#size, end);
    for (let at = start - (start % SECTOR_BYTES); at < end; at += SECTOR_BYTES) this.#dirty.add(at);
  }

  truncate(length: number): void {
    if (length > this.#size) this.write(new Uint8Array(length - this.#size), this.#size);
    this.#size = length;
  }

  sync(): void {
    const durable = new Uint8Array(this.#size);
    durable.set(this.#durable.subarray(0, this.#size));
    for (const at of this.#dirty) {
      if (at >= this.#size) continue;
      durable.set(this.#bytes.subarray(at, Math.min(at + SECTOR_BYTES, this.#size)), at);
    }
    this.#durable = durable;
    this.#dirty.clear();
  }

  /** As Linux does it: the error is told once, and what was not written counts as clean until it is written anew. */
  failSync(): void {
    this.#dirty.clear();
  }

  /** The file after a power loss. */
  after(loss: PowerLoss): Inode {
    const now = this.content();
    if ('keep' in loss) return new Inode(loss.keep === 'all' ? now : this.#durable);
    const size = loss.chance() < 0.5 ? now.length : this.#durable.length;
    const after = new Uint8Array(size);
    for (let at = 0; at < size; at += SECTOR_BYTES) {
      const from = loss.chance() < 0.5 ? now : this.#durable;
      after.set(from.subarray(at, Math.min(size, at + SECTOR_BYTES)), at);
    }
    return new Inode(after);
  }
}
