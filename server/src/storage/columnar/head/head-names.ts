// SPDX-License-Identifier: Apache-2.0
import type { SpanBatch } from '@spoor/core/model/span-batch.ts';
import type { SymbolTable } from '@spoor/core/model/span-columns.ts';
import { symbolBytes } from '@spoor/core/model/span-reader.ts';
import { SymbolInterner } from '@spoor/core/model/symbol-interner.ts';
import { decodeResource, decodeScope } from '@spoor/core/model/value-decoder.ts';
import { OperationTable } from '@spoor/core/query/operations.ts';

/** Memory for the names of a part: far more than services, their operations and keys take where they are names. */
const MAX_BYTES = 1 << 20;

/** What a short text takes beside its letters, and its entry in a set. */
const TEXT_BYTES = 64;

/**
 * What batches have of services and their operations, and the keys of attributes in resources and scopes: each resource and scope is
 * read once, however many batches have it. Where it would take more than a megabyte it knows nothing.
 */
export class HeadNames {
  readonly #maxBytes: number;
  #operations = new OperationTable();
  #keys = new Set<string>();
  #resources = new SymbolInterner();
  #scopes = new SymbolInterner();
  /** Names of services, by resource. */
  #services: string[] = [];
  #bytes = 0;

  constructor(maxBytes = MAX_BYTES) {
    this.#maxBytes = maxBytes;
  }

  /** Undefined where there are too many. */
  get operations(): OperationTable | undefined {
    return this.#isFull ? undefined : this.#operations;
  }

  /** Whether a resource or scope may have an attribute with the key. */
  mayShareKey(key: string): boolean {
    return this.#isFull || this.#keys.has(key);
  }

  get #isFull(): boolean {
    return this.#bytes > this.#maxBytes;
  }

  add(batch: SpanBatch): void {
    if (this.#isFull) return;
    const services: string[] = [];
    const { resources, scopes } = batch;
    for (let code = 0; code < resources.count; code++) {
      const known = this.#intern(this.#resources, resources, code, (bytes) => {
        const { serviceName, attributes } = decodeResource(bytes);
        this.#services.push(serviceName);
        this.#addKeys(attributes);
      });
      services.push(this.#services[known]!);
    }
    for (let code = 0; code < scopes.count; code++) {
      this.#intern(this.#scopes, scopes, code, (bytes) =>
        this.#addKeys(decodeScope(bytes).attributes),
      );
    }
    this.#bytes += this.#operations.add(batch, services);
    if (!this.#isFull) return;
    this.#operations = new OperationTable();
    this.#keys.clear();
    this.#resources = this.#scopes = new SymbolInterner();
    this.#services = [];
  }

  /** Code of a symbol among those that are known. @param read a new one */
  #intern(
    known: SymbolInterner,
    table: SymbolTable,
    code: number,
    read: (bytes: Uint8Array) => void,
  ): number {
    const { count } = known;
    const found = known.intern(table.bytes, table.offsets[code]!, table.offsets[code + 1]!);
    if (known.count > count) {
      const bytes = symbolBytes(table, code);
      this.#bytes += bytes.length + TEXT_BYTES;
      read(bytes);
    }
    return found;
  }

  #addKeys(attributes: readonly { readonly key: string }[]): void {
    for (const { key } of attributes) {
      if (this.#keys.has(key)) continue;
      this.#keys.add(key);
      this.#bytes += TEXT_BYTES + key.length * 2;
    }
  }
}
