// SPDX-License-Identifier: Apache-2.0
import { SymbolInterner } from '#model/symbol-interner.ts';
import { ProtoWriter } from '#wire/protobuf/writer.ts';

/** Entries and bytes kept; senders are few, and a hostile stream of new ones only costs the work again. */
const MAX_ENTRIES = 1024;
const MAX_BYTES = 1 << 20;

/** Remembers the canonical form of the resources and scopes that senders repeat with every request. */
export class SymbolCache {
  readonly #raw = new SymbolInterner(64, 4096);
  #canonical: Uint8Array<ArrayBuffer>[] = [];
  readonly #key = new ProtoWriter(512);

  /** The canonical bytes for these raw ones, made when they are new. */
  get(
    message: Uint8Array | undefined,
    schemaUrl: Uint8Array,
    make: (message: Uint8Array | undefined, schemaUrl: Uint8Array) => Uint8Array<ArrayBuffer>,
  ): Uint8Array<ArrayBuffer> {
    const key = this.#key;
    key.reuse();
    key.varint(message === undefined ? 0 : message.length + 1);
    if (message !== undefined) key.raw(message);
    key.raw(schemaUrl);
    const known = this.#raw.lookup(key.bytes, 0, key.length);
    if (known >= 0) return this.#canonical[known]!;
    const canonical = make(message, schemaUrl);
    if (this.#raw.count >= MAX_ENTRIES || this.#raw.byteCount + key.length > MAX_BYTES) {
      this.#raw.truncate(0);
      this.#canonical = [];
    }
    if (key.length <= MAX_BYTES)
      this.#canonical[this.#raw.intern(key.bytes, 0, key.length)] = canonical;
    return canonical;
  }
}
