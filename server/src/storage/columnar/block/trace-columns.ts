// SPDX-License-Identifier: Apache-2.0
import { decodeResource } from '@spoor/core/model/value-decoder.ts';
import { grownWords } from '@spoor/core/model/column-arrays.ts';
import { isZeroSpanId } from '@spoor/core/model/ids.ts';
import { StatusByte } from '@spoor/core/model/span-columns.ts';
import { symbolBytes, symbolText } from '@spoor/core/model/span-reader.ts';
import { compareCodePoints } from '@spoor/core/query/code-point-order.ts';
import type { SectionRows } from './block-section.ts';

/** Columns of 64-bit numbers, low and high words. */
export interface WideColumn {
  readonly lo: Uint32Array;
  readonly hi: Uint32Array;
}

/** What is known of traces without looking at their spans: one entry a trace. */
export interface TraceColumns {
  readonly traces: number;
  /** Earliest start, Unix epoch ns. */
  readonly start: WideColumn;
  /** Latest end minus earliest start in ns, modulo 2^64. */
  readonly length: WideColumn;
  /** Duration of the longest span in ns, signed. */
  readonly longest: WideColumn;
  readonly spans: Uint32Array;
  /** Spans with status ERROR. */
  readonly errors: Uint32Array;
  /** Resource and name of the root, as 1 + code; 0 without root. */
  readonly rootResource: Uint32Array;
  readonly rootName: Uint32Array;
}

/** A number of a wide column, unsigned. */
export function nanosAt({ lo, hi }: WideColumn, at: number): bigint {
  return (BigInt(hi[at]!) << 32n) | BigInt(lo[at]!);
}

/** Latest end minus earliest start of a trace, in ns, exact: negative where the trace ends before it starts. */
export function durationAt({ start, length }: TraceColumns, trace: number): bigint {
  const nanos = nanosAt(length, trace);
  return nanosAt(start, trace) + nanos < 2n ** 64n ? nanos : nanos - 2n ** 64n;
}

/** As {@link durationAt}, as a double: exact up to 104 days. */
export function roughDurationAt(
  { start, length }: Pick<TraceColumns, 'start' | 'length'>,
  trace: number,
): number {
  const lengthHi = length.hi[trace]!;
  const carry = start.lo[trace]! + length.lo[trace]! > 0xffffffff ? 1 : 0;
  const wraps = start.hi[trace]! + lengthHi + carry > 0xffffffff;
  return (wraps ? lengthHi - 4294967296 : lengthHi) * 4294967296 + length.lo[trace]!;
}

/** Duration of the longest span of a trace in ns, as a double: exact up to 104 days. */
export function roughLongestAt({ longest }: TraceColumns, trace: number): number {
  return (longest.hi[trace]! | 0) * 4294967296 + longest.lo[trace]!;
}

/** What a {@link TraceColumnsBuilder} collects: one entry a trace. */
class TraceNumbers {
  readonly startLo: Uint32Array;
  readonly startHi: Uint32Array;
  readonly lengthLo: Uint32Array;
  readonly lengthHi: Uint32Array;
  readonly longestLo: Uint32Array;
  readonly longestHi: Uint32Array;
  readonly spans: Uint32Array;
  readonly errors: Uint32Array;
  readonly rootResource: Uint32Array;
  readonly rootName: Uint32Array;

  /** @param smaller whose numbers are taken over */
  constructor(size: number, smaller?: TraceNumbers) {
    this.startLo = grownWords(smaller?.startLo ?? NONE, size);
    this.startHi = grownWords(smaller?.startHi ?? NONE, size);
    this.lengthLo = grownWords(smaller?.lengthLo ?? NONE, size);
    this.lengthHi = grownWords(smaller?.lengthHi ?? NONE, size);
    this.longestLo = grownWords(smaller?.longestLo ?? NONE, size);
    this.longestHi = grownWords(smaller?.longestHi ?? NONE, size);
    this.spans = grownWords(smaller?.spans ?? NONE, size);
    this.errors = grownWords(smaller?.errors ?? NONE, size);
    this.rootResource = grownWords(smaller?.rootResource ?? NONE, size);
    this.rootName = grownWords(smaller?.rootName ?? NONE, size);
  }
}

const NONE = new Uint32Array(0);

/** What all builders begin with. As there is always one, V8 does not forget how they are laid out, and what it compiled for them. */
const NO_NUMBERS = new TraceNumbers(0);

/** Some whole traces; rows of a trace may be in any order. */
type WholeTraces = Pick<SectionRows, 'columns' | 'rows' | 'traceStarts'>;

/** Makes trace columns from rows. */
export class TraceColumnsBuilder {
  #traces = 0;
  #numbers = NO_NUMBERS;

  /** Takes the next traces. What is there twice counts twice. */
  add(group: WholeTraces): void {
    const traces = group.traceStarts.length - 1;
    this.#reserve(this.#traces + traces);
    for (let t = 0; t < traces; t++) {
      this.#addTrace(group, group.traceStarts[t]!, group.traceStarts[t + 1]!);
    }
  }

  columns(): TraceColumns {
    const of = (field: keyof TraceNumbers): Uint32Array =>
      this.#numbers[field].subarray(0, this.#traces);
    return {
      traces: this.#traces,
      start: { lo: of('startLo'), hi: of('startHi') },
      length: { lo: of('lengthLo'), hi: of('lengthHi') },
      longest: { lo: of('longestLo'), hi: of('longestHi') },
      spans: of('spans'),
      errors: of('errors'),
      rootResource: of('rootResource'),
      rootName: of('rootName'),
    };
  }

  /** Takes a trace: `rows[from, to)`, in any order. */
  #addTrace({ columns, rows }: WholeTraces, from: number, to: number): void {
    const { startLo, startHi, durationLo, durationHi, status, parentSpanId } = columns;
    let firstLo = 0xffffffff;
    let firstHi = 0xffffffff;
    let endLo = 0;
    let endHi = 0;
    let longestLo = 0;
    let longestHi = -(2 ** 31);
    let errors = 0;
    let root = -1;
    for (let i = from; i < to; i++) {
      const row = rows[i]!;
      const rowLo = startLo[row]!;
      const rowHi = startHi[row]!;
      if (rowHi < firstHi || (rowHi === firstHi && rowLo < firstLo)) {
        firstHi = rowHi;
        firstLo = rowLo;
      }
      const lo = durationLo[row]!;
      const hi = durationHi[row]! | 0;
      if (hi > longestHi || (hi === longestHi && lo > longestLo)) {
        longestHi = hi;
        longestLo = lo;
      }
      const sum = rowLo + lo;
      const rowEndLo = sum >>> 0;
      const rowEndHi = (rowHi + hi + (sum > 0xffffffff ? 1 : 0)) >>> 0;
      if (rowEndHi > endHi || (rowEndHi === endHi && rowEndLo > endLo)) {
        endHi = rowEndHi;
        endLo = rowEndLo;
      }
      if (status[row] === StatusByte.error) errors++;
      if (isZeroSpanId(parentSpanId, row * 8) && (root < 0 || isEarlierRoot(columns, row, root))) {
        root = row;
      }
    }
    const numbers = this.#numbers;
    const at = this.#traces++;
    numbers.startLo[at] = firstLo;
    numbers.startHi[at] = firstHi;
    numbers.lengthLo[at] = endLo - firstLo;
    numbers.lengthHi[at] = endHi - firstHi - (endLo < firstLo ? 1 : 0);
    numbers.longestLo[at] = longestLo;
    numbers.longestHi[at] = longestHi;
    numbers.spans[at] = to - from;
    numbers.errors[at] = errors;
    numbers.rootResource[at] = root < 0 ? 0 : columns.resource[root]! + 1;
    numbers.rootName[at] = root < 0 ? 0 : columns.name[root]! + 1;
  }

  #reserve(traces: number): void {
    const size = this.#numbers.spans.length;
    if (traces > size) this.#numbers = new TraceNumbers(Math.max(traces, size * 2), this.#numbers);
  }
}

/** Order of spans without parent: the first one is the root. */
function isEarlierRoot(columns: SectionRows['columns'], row: number, root: number): boolean {
  const { startLo, startHi, spanId } = columns;
  if (startHi[row] !== startHi[root]) return startHi[row]! < startHi[root]!;
  if (startLo[row] !== startLo[root]) return startLo[row]! < startLo[root]!;
  for (let k = 0; k < 8; k++) {
    const difference = spanId[row * 8 + k]! - spanId[root * 8 + k]!;
    if (difference !== 0) return difference < 0;
  }
  const order =
    compareCodePoints(serviceName(columns, row), serviceName(columns, root)) ||
    compareCodePoints(
      symbolText(columns.names, columns.name[row]!),
      symbolText(columns.names, columns.name[root]!),
    );
  return order < 0;
}

function serviceName({ resources, resource }: SectionRows['columns'], row: number): string {
  return decodeResource(symbolBytes(resources, resource[row]!)).serviceName;
}
