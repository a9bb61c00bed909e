// SPDX-License-Identifier: Apache-2.0
import type { SymbolTable } from '@spoor/core/model/span-columns.ts';
import { symbolBytes } from '@spoor/core/model/span-reader.ts';
import { SymbolInterner } from '@spoor/core/model/symbol-interner.ts';
import { decodeResource } from '@spoor/core/model/value-decoder.ts';
import type { ResourceRows } from '#pipeline/admission.ts';

/** Resources whose service is remembered, in bytes; beyond, all are forgotten and found again. */
const MAX_REMEMBERED_BYTES = 1 << 20;

/** Counts rows by the service of their resource. Only distinct resources are looked at: a few in a batch, the same in most. */
export class ServiceTally {
  readonly #known = new SymbolInterner(64, 4096);
  readonly #names: string[] = [];

  /** Rows by service; that of a resource without one is empty. */
  count({ resource, resources, start, end }: ResourceRows): Map<string, number> {
    const byCode = new Map<number, number>();
    let row = start;
    while (row < end) {
      const code = resource[row]!;
      const first = row;
      do row++;
      while (row < end && resource[row] === code);
      byCode.set(code, (byCode.get(code) ?? 0) + row - first);
    }
    const counts = new Map<string, number>();
    for (const [code, count] of byCode) {
      const service = this.serviceOf(resources, code);
      counts.set(service, (counts.get(service) ?? 0) + count);
    }
    return counts;
  }

  /** Service of a resource; empty where it has none. */
  serviceOf(resources: SymbolTable, code: number): string {
    const { bytes, offsets } = resources;
    if (this.#known.byteCount > MAX_REMEMBERED_BYTES) {
      this.#known.truncate(0);
      this.#names.length = 0;
    }
    const known = this.#known.intern(bytes, offsets[code]!, offsets[code + 1]!);
    return (this.#names[known] ??= decodeResource(symbolBytes(resources, code)).serviceName);
  }
}
