// SPDX-License-Identifier: Apache-2.0
import { symbolText } from '@spoor/core/model/span-reader.ts';
import type { BlockReader } from '../block/block-reader.ts';
import { decodeCodes, decodePlanes } from '../block/chunk-codec.ts';
import type { SummariesRef } from '../block/summaries-section.ts';
import { type TraceColumns, TraceColumnsBuilder, type WideColumn } from '../block/trace-columns.ts';

/** Bytes of all columns of a trace in memory. */
const TRACE_BYTES = 40;

/** The trace columns of a block: decoded group by group, as a question looks at few of them, and kept in the block's cache. */
export class TraceSummaries {
  readonly #block: BlockReader;
  readonly #isKept: boolean;
  /** The group that was asked for last. */
  #group = -1;
  #columns: TraceColumns | undefined;
  #firstRows: Uint32Array | undefined;

  /** @param options `isKept: false` where each group is asked for once, as its columns would push others out of the cache */
  constructor(block: BlockReader, { isKept = true }: { readonly isKept?: boolean } = {}) {
    this.#block = block;
    this.#isKept = isKept;
  }

  /** Those of all traces; they are not kept. */
  all(): TraceColumns {
    return this.#slice(0, this.#block.footer.traces);
  }

  /** Those of the traces of a group. */
  group(g: number): TraceColumns {
    if (this.#columns === undefined || this.#group !== g) {
      const { firstTraces } = this.#block;
      const [from, to] = [firstTraces[g]!, firstTraces[g + 1]!];
      this.#columns = this.#slice(from, to, this.#isKept ? g : undefined);
      this.#group = g;
    }
    return this.#columns;
  }

  /** Rows of the block before each of its traces, and all of them at the end; kept in the block's cache. */
  get firstRows(): Uint32Array {
    if (this.#firstRows === undefined) {
      const { traces } = this.#block.footer;
      this.#firstRows = this.#block.decoded(-1, 'first rows', traces * 4, () => {
        const { spans } = this.all();
        const first = new Uint32Array(traces + 1);
        for (let t = 0; t < traces; t++) first[t + 1] = first[t]! + spans[t]!;
        return first;
      });
    }
    return this.#firstRows;
  }

  /** Service of the root of a trace; empty without root. */
  rootServiceName(trace: number): string {
    const g = this.#block.groupOf(trace);
    const code = this.group(g).rootResource[trace - this.#block.firstTraces[g]!]!;
    return code === 0 ? '' : this.#block.serviceName(code - 1);
  }

  /** Name of the root of a trace; empty without root. */
  rootSpanName(trace: number): string {
    const g = this.#block.groupOf(trace);
    const code = this.group(g).rootName[trace - this.#block.firstTraces[g]!]!;
    return code === 0 ? '' : symbolText(this.#block.table(this.#block.footer.names), code - 1);
  }

  /** @param group whose traces these are, where they are to be kept */
  #slice(from: number, to: number, group?: number): TraceColumns {
    const { summaries } = this.#block.footer;
    if (summaries !== undefined) {
      return new StoredColumns({ block: this.#block, ref: summaries, from, to, group });
    }
    const { start, length, longest, spans, errors, rootResource, rootName } = this.#computed();
    const wide = ({ lo, hi }: WideColumn): WideColumn => ({
      lo: lo.subarray(from, to),
      hi: hi.subarray(from, to),
    });
    return {
      traces: to - from,
      start: wide(start),
      length: wide(length),
      longest: wide(longest),
      spans: spans.subarray(from, to),
      errors: errors.subarray(from, to),
      rootResource: rootResource.subarray(from, to),
      rootName: rootName.subarray(from, to),
    };
  }

  /** All columns of a block of version 1, which does not have them. */
  #computed(): TraceColumns {
    return this.#block.decoded(-1, 'trace columns', TRACE_BYTES * this.#block.footer.traces, () => {
      const builder = new TraceColumnsBuilder();
      for (let g = 0; g < this.#block.footer.groups.length; g++) {
        const columns = this.#block.group(g);
        const rows = Uint32Array.from({ length: columns.rows }, (_, row) => row);
        builder.add({ columns, rows, traceStarts: columns.traceStarts });
      }
      return builder.columns();
    });
  }
}

/** Trace columns of a run of traces of a block, each decoded when it is first asked for. */
class StoredColumns implements TraceColumns {
  readonly traces: number;
  readonly #block: BlockReader;
  readonly #ref: SummariesRef;
  readonly #from: number;
  /** Undefined where they are not kept. */
  readonly #group: number | undefined;
  #start: WideColumn | undefined;
  #length: WideColumn | undefined;
  #longest: WideColumn | undefined;
  #spans: Uint32Array | undefined;
  #errors: Uint32Array | undefined;
  #rootResource: Uint32Array | undefined;
  #rootName: Uint32Array | undefined;

  constructor(run: {
    readonly block: BlockReader;
    readonly ref: SummariesRef;
    readonly from: number;
    readonly to: number;
    readonly group: number | undefined;
  }) {
    this.#block = run.block;
    this.#ref = run.ref;
    this.#from = run.from;
    this.#group = run.group;
    this.traces = run.to - run.from;
  }

  get start(): WideColumn {
    return (this.#start ??= this.#kept('start', 8, () => {
      const column = this.#planes(this.#ref.start);
      addBase(column, BigInt(this.#block.footer.minStart));
      return column;
    }));
  }

  get length(): WideColumn {
    return (this.#length ??= this.#kept('length', 8, () => this.#planes(this.#ref.length)));
  }

  get longest(): WideColumn {
    return (this.#longest ??= this.#kept('longest', 8, () => {
      const column = this.#planes(this.#ref.longest);
      subtractFrom(column, this.length);
      return column;
    }));
  }

  get spans(): Uint32Array {
    return (this.#spans ??= this.#codes('spans'));
  }
  get errors(): Uint32Array {
    return (this.#errors ??= this.#codes('errors'));
  }
  get rootResource(): Uint32Array {
    return (this.#rootResource ??= this.#codes('rootResource'));
  }
  get rootName(): Uint32Array {
    return (this.#rootName ??= this.#codes('rootName'));
  }

  #planes(ref: SummariesRef['start']): WideColumn {
    const { traces } = this.#block.footer;
    return decodePlanes(this.#block.chunk(ref), traces, this.traces, this.#from);
  }

  #codes(what: 'spans' | 'errors' | 'rootResource' | 'rootName'): Uint32Array {
    return this.#kept(what, 4, () =>
      decodeCodes(this.#block.chunk(this.#ref[what]), this.traces, this.#from),
    );
  }

  /** @param bytes of a trace */
  #kept<Column>(what: keyof TraceColumns, bytes: number, make: () => Column): Column {
    if (this.#group === undefined) return make();
    return this.#block.decoded(this.#group, `trace ${what}`, bytes * this.traces, make);
  }
}

/** Adds the same number to all of a column. */
function addBase({ lo, hi }: WideColumn, base: bigint): void {
  const baseLo = Number(base & 0xffffffffn);
  const baseHi = Number(base >> 32n);
  for (let t = 0; t < lo.length; t++) {
    const sum = lo[t]! + baseLo;
    lo[t] = sum;
    hi[t] = hi[t]! + baseHi + (sum > 0xffffffff ? 1 : 0);
  }
}

/** Makes each number of a column that of another one minus itself. */
function subtractFrom({ lo, hi }: WideColumn, other: WideColumn): void {
  for (let t = 0; t < lo.length; t++) {
    hi[t] = other.hi[t]! - hi[t]! - (other.lo[t]! < lo[t]! ? 1 : 0);
    lo[t] = other.lo[t]! - lo[t]!;
  }
}
