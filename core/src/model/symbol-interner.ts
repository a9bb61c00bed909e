// SPDX-License-Identifier: Apache-2.0
import { CrowdedValues, LONGEST_RUN, takeSlot } from './crowded-values.ts';
import type { SymbolTable } from './span-columns.ts';
import { isValidUtf8, toValidUtf8 } from './utf8.ts';

/** In a table of hashes: the entry was not interned and cannot be found by its bytes. No entry hashes to this. */
export const NOT_HASHED = 0;

/**
 * 32-bit hash of `bytes[start, end)`, in two lanes of four bytes, which the processor works on at once. It is kept with what is
 * stored, so it has no seed, and whoever picks values can have them fall together: tables need {@link CrowdedValues}.
 */
export function hashBytes(bytes: Uint8Array, start: number, end: number): number {
  let hash = 0x811c9dc5 ^ (end - start);
  let other = 0x2c1b3c6d;
  let i = start;
  for (const last = end - 8; i <= last; i += 8) {
    hash = Math.imul(
      hash ^ (bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24)),
      0x9e3779b1,
    );
    other = Math.imul(
      other ^
        (bytes[i + 4]! | (bytes[i + 5]! << 8) | (bytes[i + 6]! << 16) | (bytes[i + 7]! << 24)),
      0x85ebca6b,
    );
    hash ^= hash >>> 15;
    other ^= other >>> 13;
  }
  hash ^= other;
  for (; i < end; i++) hash = Math.imul(hash ^ bytes[i]!, 0x01000193);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, 0x85ebca6b) >>> 0;
  return hash === NOT_HASHED ? 1 : hash;
}

/** Whether `a[aStart, aStart + length)` equals `b[bStart, bStart + length)`. */
export function equalBytes(
  a: Uint8Array,
  aStart: number,
  b: Uint8Array,
  bStart: number,
  length: number,
): boolean {
  for (let i = 0; i < length; i++) if (a[aStart + i] !== b[bStart + i]) return false;
  return true;
}

/** As {@link equalBytes}, four bytes at a time: three times as fast from 8 bytes on. */
export function equalViews(
  a: DataView,
  aStart: number,
  b: DataView,
  bStart: number,
  length: number,
): boolean {
  let i = 0;
  for (const last = length - 4; i <= last; i += 4) {
    if (a.getInt32(aStart + i, true) !== b.getInt32(bStart + i, true)) return false;
  }
  for (; i < length; i++) if (a.getUint8(aStart + i) !== b.getUint8(bStart + i)) return false;
  return true;
}

/** A view of all of `bytes`. */
export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** In place of a slot: the run is too long. */
const CROWDED = -1;

/** No table of this kind has owners. */
const OWNER = 0;

/** V8 keeps arrays of up to 64 bytes with its objects: a table this small needs no memory of its own, which counts with thousands. */
const MIN_CAPACITY = 4;

/** A growing set of byte strings; each gets a code in order of its first appearance. */
export class SymbolInterner implements SymbolTable {
  count = 0;
  hashes: Uint32Array;
  /** Capacity `hashes.length + 1`; entries up to `count` are valid. */
  offsets: Uint32Array;
  bytes: Uint8Array;
  /**
   * Open addressing by linear probing, at most half full. Two numbers a slot, beside each other in memory: the code, -1 where it is
   * free, and the hash.
   */
  #slots: Int32Array;
  /** Of a slot's place in `#slots`. */
  #mask: number;
  /** 1 for each entry that is known to be UTF-8. Others came as bytes or numbers. */
  #isText: Uint8Array;
  /** Of all of `bytes`, once asked for. */
  #view: DataView | undefined;
  /** Entries without a slot. */
  #crowded: CrowdedValues | undefined;

  constructor(expectedCount = 16, expectedBytes = 256) {
    let capacity = MIN_CAPACITY;
    while (capacity < expectedCount) capacity *= 2;
    this.hashes = new Uint32Array(capacity);
    this.offsets = new Uint32Array(capacity + 1);
    this.bytes = new Uint8Array(expectedBytes);
    this.#isText = new Uint8Array(capacity);
    this.#slots = new Int32Array(capacity * 4).fill(-1);
    this.#mask = maskOf(capacity);
  }

  /**
   * Code of `bytes[start, end)`, added when it is new.
   * @param view of all of `bytes`: makes comparing faster where it is at hand
   */
  intern(bytes: Uint8Array, start: number, end: number, view?: DataView): number {
    return this.internHashed(bytes, start, end, hashBytes(bytes, start, end), view);
  }

  /** As {@link intern}, with the hash at hand. */
  internHashed(
    bytes: Uint8Array,
    start: number,
    end: number,
    hash: number,
    view?: DataView,
  ): number {
    const slot = this.#find(bytes, start, end, hash, view);
    const code = this.#codeAt(slot, bytes, start, end);
    return code >= 0 ? code : this.#add(slot, bytes, start, end, hash, 0);
  }

  /**
   * Code of a text. Text that is not UTF-8 is stored with U+FFFD in place of what is wrong; the check
   * runs once for each distinct text.
   */
  internText(bytes: Uint8Array, start: number, end: number, view?: DataView): number {
    const hash = hashBytes(bytes, start, end);
    const slot = this.#find(bytes, start, end, hash, view);
    const code = this.#codeAt(slot, bytes, start, end);
    if (code >= 0 && this.#isText[code] === 1) return code;
    if (isValidUtf8(bytes, start, end)) {
      if (code < 0) return this.#add(slot, bytes, start, end, hash, 1);
      this.#isText[code] = 1;
      return code;
    }
    const mended = toValidUtf8(bytes.subarray(start, end));
    return this.internText(mended, 0, mended.length);
  }

  /** Adds an entry without looking whether it is there; it is not found by its bytes later. */
  append(bytes: Uint8Array, start: number, end: number): number {
    return this.#store(bytes, start, end, NOT_HASHED, 0);
  }

  /** As {@link append} for a text; what is not UTF-8 in it becomes U+FFFD. */
  appendText(bytes: Uint8Array, start: number, end: number): number {
    if (isValidUtf8(bytes, start, end)) return this.append(bytes, start, end);
    const mended = toValidUtf8(bytes.subarray(start, end));
    return this.append(mended, 0, mended.length);
  }

  /** Code of `bytes[start, end)`, or -1 when it is not there. */
  lookup(bytes: Uint8Array, start: number, end: number): number {
    const slot = this.#find(bytes, start, end, hashBytes(bytes, start, end), undefined);
    return this.#codeAt(slot, bytes, start, end);
  }

  /** Whether entry `code` is known to be UTF-8. */
  isText(code: number): boolean {
    return this.#isText[code] === 1;
  }

  /** Whether entry `code` equals `bytes[start, end)`. */
  equals(code: number, bytes: Uint8Array, start: number, end: number): boolean {
    const offset = this.offsets[code]!;
    const length = end - start;
    return (
      this.offsets[code + 1]! - offset === length &&
      equalBytes(this.bytes, offset, bytes, start, length)
    );
  }

  /** As {@link equals} for a view. */
  equalsView(code: number, view: DataView, start: number, end: number): boolean {
    const offset = this.offsets[code]!;
    const length = end - start;
    return (
      this.offsets[code + 1]! - offset === length &&
      equalViews((this.#view ??= viewOf(this.bytes)), offset, view, start, length)
    );
  }

  /** Forgets the entries from `count` on. */
  truncate(count: number): void {
    if (count >= this.count) return;
    if (count === 0 && this.count > this.#mask >> 4) {
      this.#slots.fill(-1);
      this.#crowded = undefined;
    } else {
      // In reverse order of insertion a slot can simply be freed: nothing probed past it later.
      for (let code = this.count - 1; code >= count; code--) {
        if (this.hashes[code] !== NOT_HASHED) this.#free(code);
      }
    }
    this.count = count;
  }

  /** Bytes that the entries take. */
  get byteCount(): number {
    return this.offsets[this.count]!;
  }

  /** Slot of `bytes[start, end)`, or the free one that it would have; {@link CROWDED}. */
  #find(
    bytes: Uint8Array,
    start: number,
    end: number,
    hash: number,
    view: DataView | undefined,
  ): number {
    const slots = this.#slots;
    const mask = this.#mask;
    const stored = hash | 0;
    let slot = (hash << 1) & mask;
    for (let left = LONGEST_RUN; left > 0; left--) {
      const code = slots[slot]!;
      if (code < 0 || (slots[slot + 1] === stored && this.#same(code, bytes, start, end, view))) {
        return slot;
      }
      slot = (slot + 2) & mask;
    }
    return CROWDED;
  }

  /** Code of `bytes[start, end)` by what {@link #find} gave, or -1 when it is not there. */
  #codeAt(slot: number, bytes: Uint8Array, start: number, end: number): number {
    if (slot !== CROWDED) return this.#slots[slot]!;
    return this.#crowded?.get(OWNER, bytes, start, end) ?? -1;
  }

  /** Gives an entry its slot, or a place among those without one. */
  #place(code: number): void {
    if (!takeSlot(this.#slots, code, this.hashes[code]!)) this.#crowd(code);
  }

  #crowd(code: number): void {
    this.#crowded ??= new CrowdedValues();
    this.#crowded.set(OWNER, this.bytes, this.offsets[code]!, this.offsets[code + 1]!, code);
  }

  /** Takes an entry out of its place. */
  #free(code: number): void {
    let slot = (this.hashes[code]! << 1) & this.#mask;
    for (let left = LONGEST_RUN; left > 0; left--) {
      if (this.#slots[slot] === code) {
        this.#slots[slot] = -1;
        return;
      }
      slot = (slot + 2) & this.#mask;
    }
    this.#crowded?.delete(OWNER, this.bytes, this.offsets[code]!, this.offsets[code + 1]!);
  }

  #same(
    code: number,
    bytes: Uint8Array,
    start: number,
    end: number,
    view: DataView | undefined,
  ): boolean {
    return view === undefined
      ? this.equals(code, bytes, start, end)
      : this.equalsView(code, view, start, end);
  }

  #add(
    slot: number,
    bytes: Uint8Array,
    start: number,
    end: number,
    hash: number,
    isText: number,
  ): number {
    const grows = this.count === this.hashes.length;
    const code = this.#store(bytes, start, end, hash, isText);
    if (grows) {
      this.#place(code);
    } else if (slot === CROWDED) {
      this.#crowd(code);
    } else {
      this.#slots[slot] = code;
      this.#slots[slot + 1] = hash;
    }
    return code;
  }

  #store(bytes: Uint8Array, start: number, end: number, hash: number, isText: number): number {
    const code = this.count;
    const offset = this.offsets[code]!;
    const length = end - start;
    // Not before there is memory for it: truncate looks for the place of each.
    if (offset + length > this.bytes.length) this.#growBytes(offset + length);
    if (code === this.hashes.length) this.#growEntries();
    this.count++;
    this.hashes[code] = hash;
    this.#isText[code] = isText;
    if (length <= 24) {
      const target = this.bytes;
      for (let i = 0; i < length; i++) target[offset + i] = bytes[start + i]!;
    } else {
      this.bytes.set(bytes.subarray(start, end), offset);
    }
    this.offsets[code + 1] = offset + length;
    return code;
  }

  #growEntries(): void {
    const capacity = this.hashes.length * 2;
    const hashes = new Uint32Array(capacity);
    hashes.set(this.hashes);
    const offsets = new Uint32Array(capacity + 1);
    offsets.set(this.offsets);
    const isText = new Uint8Array(capacity);
    isText.set(this.#isText);
    const slots = new Int32Array(capacity * 4).fill(-1);
    this.#isText = isText;
    this.hashes = hashes;
    this.offsets = offsets;
    this.#slots = slots;
    this.#mask = maskOf(capacity);
    this.#crowded = undefined;
    for (let code = 0; code < this.count; code++) {
      if (hashes[code] !== NOT_HASHED) this.#place(code);
    }
  }

  #growBytes(needed: number): void {
    const bytes = new Uint8Array(Math.max(this.bytes.length * 2, needed));
    bytes.set(this.bytes.subarray(0, this.offsets[this.count]));
    this.bytes = bytes;
    this.#view = undefined;
  }
}

function maskOf(capacity: number): number {
  return capacity * 4 - 2;
}
