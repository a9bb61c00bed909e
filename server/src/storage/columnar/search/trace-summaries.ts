// SPDX-License-Identifier: Apache-2.0
import { symbolText } from '@spoor/core/model/span-reader.ts';
import type { BlockReader } from '../block/block-reader.ts';
import { decodeCodes, decodePlanes } from '../block/chunk-codec.ts';
import type { SummariesRef } from '../block/summaries-section.ts';
import { type TraceColumns, TraceColumnsBuilder, type WideColumn } from '../block/trace-columns.ts';

/** Bytes of all columns of a trace in memory. */
const TRACE_BYTES = 40;

/** The trace columns of a block. Each is read when it is first asked for, and kept in the block's cache. */
export class TraceSummaries implements TraceColumns {
  readonly traces: number;
  readonly #block: BlockReader;
  readonly #columns = new Map<keyof TraceColumns, unknown>();

  constructor(block: BlockReader) {
    this.#block = block;
    this.traces = block.footer.traces;
  }

  get start(): WideColumn {
    return this.#column('start', 8, (ref) => {
      const column = this.#planes(ref.start);
      const { minStart } = this.#block.footer;
      const baseLo = Number(BigInt(minStart) & 0xffffffffn);
      const baseHi = Number(BigInt(minStart) >> 32n);
      const { lo, hi } = column;
      for (let t = 0; t < lo.length; t++) {
        const sum = lo[t]! + baseLo;
        lo[t] = sum;
        hi[t] = hi[t]! + baseHi + (sum > 0xffffffff ? 1 : 0);
      }
      return column;
    });
  }

  get length(): WideColumn {
    return this.#column('length', 8, (ref) => this.#planes(ref.length));
  }

  get longest(): WideColumn {
    return this.#column('longest', 8, (ref) => {
      const column = this.#planes(ref.longest);
      const { lo, hi } = column;
      const { lo: lengthLo, hi: lengthHi } = this.length;
      for (let t = 0; t < lo.length; t++) {
        hi[t] = lengthHi[t]! - hi[t]! - (lengthLo[t]! < lo[t]! ? 1 : 0);
        lo[t] = lengthLo[t]! - lo[t]!;
      }
      return column;
    });
  }

  get spans(): Uint32Array {
    return this.#column('spans', 4, (ref) => this.#codes(ref.spans));
  }
  get errors(): Uint32Array {
    return this.#column('errors', 4, (ref) => this.#codes(ref.errors));
  }
  get rootResource(): Uint32Array {
    return this.#column('rootResource', 4, (ref) => this.#codes(ref.rootResource));
  }
  get rootName(): Uint32Array {
    return this.#column('rootName', 4, (ref) => this.#codes(ref.rootName));
  }

  /** Service of the root; empty without root. */
  rootServiceName(trace: number): string {
    const code = this.rootResource[trace]!;
    return code === 0 ? '' : this.#block.serviceName(code - 1);
  }

  /** Name of the root; empty without root. */
  rootSpanName(trace: number): string {
    const code = this.rootName[trace]!;
    return code === 0 ? '' : symbolText(this.#block.table(this.#block.footer.names), code - 1);
  }

  #column<Name extends keyof TraceColumns>(
    name: Name,
    bytes: number,
    read: (ref: SummariesRef) => TraceColumns[Name],
  ): TraceColumns[Name] {
    let column = this.#columns.get(name);
    if (column === undefined) {
      const { summaries } = this.#block.footer;
      column =
        summaries === undefined
          ? this.#computed()[name]
          : this.#block.decoded(-1, `trace ${name}`, bytes * this.traces, () => read(summaries));
      this.#columns.set(name, column);
    }
    // Only this name's column is under it.
    return column as TraceColumns[Name];
  }

  /** All columns of a block of version 1, which does not have them. */
  #computed(): TraceColumns {
    return this.#block.decoded(-1, 'trace columns', TRACE_BYTES * this.traces, () => {
      const builder = new TraceColumnsBuilder();
      for (let g = 0; g < this.#block.footer.groups.length; g++) {
        const columns = this.#block.group(g);
        const rows = Uint32Array.from({ length: columns.rows }, (_, row) => row);
        builder.add({ columns, rows, traceStarts: columns.traceStarts });
      }
      return builder.columns();
    });
  }

  #planes(ref: SummariesRef['start']): WideColumn {
    return decodePlanes(this.#block.chunk(ref), this.traces);
  }

  #codes(ref: SummariesRef['spans']): Uint32Array {
    return decodeCodes(this.#block.chunk(ref), this.traces);
  }
}
