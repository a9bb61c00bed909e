// SPDX-License-Identifier: Apache-2.0

/** Distinct byte strings, numbered in the order in which they came. */
export class ByteDictionary {
  count = 0;
  /** Entry `i` is `bytes[offsets[i], offsets[i + 1])`. */
  offsets = new Uint32Array(64);
  bytes = new Uint8Array(1024);
  /** As long as the offsets. */
  #hashes = new Uint32Array(64);
  /** Entry number plus one; 0 is free. Twice as many slots as entries, a power of two. */
  #slots = new Uint32Array(128);

  /** The number of `source[start, end)`. */
  code(source: Uint8Array, start: number, end: number): number {
    const hash = hashBytes(source, start, end);
    const mask = this.#slots.length - 1;
    let slot = hash & mask;
    for (;;) {
      const entry = this.#slots[slot]!;
      if (entry === 0) break;
      if (this.#hashes[entry - 1] === hash && this.#equals(entry - 1, source, start, end))
        return entry - 1;
      slot = (slot + 1) & mask;
    }
    return this.#add(source, start, end, hash, slot);
  }

  #equals(entry: number, source: Uint8Array, start: number, end: number): boolean {
    let at = this.offsets[entry]!;
    if (this.offsets[entry + 1]! - at !== end - start) return false;
    const { bytes } = this;
    for (let i = start; i < end; i++) if (bytes[at++] !== source[i]) return false;
    return true;
  }

  #add(source: Uint8Array, start: number, end: number, hash: number, slot: number): number {
    const entry = this.count++;
    if (this.count + 1 > this.offsets.length) {
      this.offsets = grown(this.offsets, this.offsets.length * 2);
      this.#hashes = grown(this.#hashes, this.#hashes.length * 2);
    }
    const offset = this.offsets[entry]!;
    const needed = offset + end - start;
    if (needed > this.bytes.length) {
      const larger = new Uint8Array(Math.max(needed, this.bytes.length * 2));
      larger.set(this.bytes);
      this.bytes = larger;
    }
    for (let i = start, at = offset; i < end; i++) this.bytes[at++] = source[i]!;
    this.offsets[entry + 1] = needed;
    this.#hashes[entry] = hash;
    this.#slots[slot] = entry + 1;
    if (this.count * 2 > this.#slots.length) this.#rehash();
    return entry;
  }

  #rehash(): void {
    const slots = new Uint32Array(this.#slots.length * 2);
    const mask = slots.length - 1;
    for (let entry = 0; entry < this.count; entry++) {
      let slot = this.#hashes[entry]! & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = entry + 1;
    }
    this.#slots = slots;
  }
}

function hashBytes(source: Uint8Array, start: number, end: number): number {
  let hash = (end - start) | 0;
  for (let i = start; i < end; i++) hash = Math.imul(hash ^ source[i]!, 0x01000193);
  return (hash ^ (hash >>> 15)) >>> 0;
}

/** A larger copy. */
export function grown(list: Uint32Array, length: number): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(length);
  larger.set(list);
  return larger;
}
