// SPDX-License-Identifier: Apache-2.0
import { encodeText } from '@spoor/core/model/utf8.ts';
import { OtTraceState } from './ot-trace-state.ts';
import { formatThreshold, probabilityOf, thresholdOf } from './sampling-threshold.ts';

/** How much is kept, and what of traces that were sampled before. */
export interface SamplingRule {
  /** 0 to 1. */
  readonly probability: number;
  readonly mode: 'proportional' | 'equalizing';
  /** Digits of thresholds. */
  readonly precision: number;
}

/** What is decided for all spans with one trace state. */
export class SamplingDecision {
  /** The trace state of those that are kept; undefined: as it is. */
  readonly traceState: Uint8Array | undefined;
  readonly #incoming: Halves | undefined;
  readonly #consistent: Halves;
  /** Where the incoming threshold is not true for a trace. */
  readonly #inconsistent: Halves;
  readonly #randomValue: Halves | undefined;
  readonly #inconsistentState: Uint8Array | undefined;

  /** @param text the trace state; empty where there is none */
  constructor(text: string, rule: SamplingRule) {
    const state = new OtTraceState(text);
    const { threshold: incoming } = state;
    const own = thresholdOf(rule.probability, rule.precision);
    const outgoing = incoming === undefined ? own : combine(incoming, own, rule);
    const encode = (threshold: bigint): Uint8Array | undefined =>
      threshold === NOTHING
        ? undefined
        : encodeText(state.withThreshold(formatThreshold(threshold)));
    this.#incoming = incoming === undefined ? undefined : halvesOf(incoming);
    this.#consistent = halvesOf(outgoing);
    this.#inconsistent = halvesOf(own);
    this.#randomValue = state.randomValue === undefined ? undefined : halvesOf(state.randomValue);
    // All were kept: there is nothing to say.
    const isUnchanged = outgoing === incoming || (incoming === undefined && outgoing === 0n);
    this.traceState = isUnchanged ? undefined : encode(outgoing);
    this.#inconsistentState = encode(own);
  }

  /**
   * Whether the spans of a trace are kept, and with which trace state.
   * @param traceIds 16 bytes each, of which the row's is looked at
   * @returns undefined: not kept; null: kept with the trace state that they have
   */
  of(traceIds: Uint8Array, row: number): Uint8Array | null | undefined {
    const random = this.#randomValue ?? randomValueIn(traceIds, row);
    if (this.#incoming !== undefined && isBelow(random, this.#incoming)) {
      // Nobody who samples by this threshold would have kept the trace: it says nothing.
      return isBelow(random, this.#inconsistent) ? undefined : (this.#inconsistentState ?? null);
    }
    return isBelow(random, this.#consistent) ? undefined : (this.traceState ?? null);
  }
}

/** The threshold that keeps no trace. */
const NOTHING = 1n << 56n;

/** Of 56 bits the upper 24, and the lower 32. */
interface Halves {
  readonly hi: number;
  readonly lo: number;
}

function combine(incoming: bigint, own: bigint, rule: SamplingRule): bigint {
  if (rule.mode === 'equalizing') return incoming > own ? incoming : own;
  if (own === 0n) return incoming;
  const product = probabilityOf(incoming) * rule.probability;
  const outgoing = thresholdOf(product, rule.precision);
  // Rounding must not make less of what was done before.
  return outgoing > incoming ? outgoing : incoming;
}

/** The last 56 bits of a trace id. */
function randomValueIn(traceIds: Uint8Array, row: number): Halves {
  const at = row * 16 + 9;
  const byte = (i: number): number => traceIds[at + i]!;
  return {
    hi: (byte(0) << 16) | (byte(1) << 8) | byte(2),
    lo: ((byte(3) << 24) | (byte(4) << 16) | (byte(5) << 8) | byte(6)) >>> 0,
  };
}

function halvesOf(value: bigint): Halves {
  return { hi: Number(value >> 32n), lo: Number(value & 0xffffffffn) };
}

function isBelow(a: Halves, b: Halves): boolean {
  return a.hi < b.hi || (a.hi === b.hi && a.lo < b.lo);
}
