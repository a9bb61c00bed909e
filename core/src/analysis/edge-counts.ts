// SPDX-License-Identifier: Apache-2.0
import { SpanKind } from '#model/span.ts';
import { EdgeFinder } from './edge-finder.ts';
import { EdgeKind } from './edge-kind.ts';
import { MinuteCounts } from './minute-counts.ts';
import { NamePairKeys, packNamePair } from './name-pair-keys.ts';
import type { NameCodes } from './name-codes.ts';
import type { SpanRows } from './span-rows.ts';

/** What calls are counted by. */
export interface EdgeKey {
  /** Numbers of names. */
  readonly caller: number;
  readonly callee: number;
  readonly kind: EdgeKind;
  /** The callee sent no spans: it is known from what its callers say. */
  readonly isInferred: boolean;
  readonly isError: boolean;
}

/** Numbers what calls are counted by; what it is asked for is packed with {@link edgeBits}. */
export function edgeKeys(): NamePairKeys<EdgeKey> {
  return new NamePairKeys(edgeKey);
}

/** The key of two names and {@link edgeBits}. */
export function edgeKey(caller: number, callee: number, bits: number): EdgeKey {
  return {
    caller,
    callee,
    // The bits were made from a kind.
    kind: (bits >> 2) as EdgeKind,
    isInferred: (bits & 2) !== 0,
    isError: (bits & 1) !== 0,
  };
}

/** What an {@link EdgeKey} has besides names. */
export function edgeBits(kind: EdgeKind, isInferred: boolean, isError: boolean): number {
  return kind * 4 + (isInferred ? 2 : 0) + (isError ? 1 : 0);
}

/**
 * Counts calls between services, by the minute in which the called span starts and its latency. What a leaf called is
 * an inferred edge, with the times of the leaf.
 */
export class EdgeCounts {
  readonly counts = new MinuteCounts();
  readonly #names: NameCodes;
  readonly #finder = new EdgeFinder();
  readonly #keys = edgeKeys();

  constructor(names: NameCodes) {
    this.#names = names;
  }

  /** By the numbers that {@link counts} has. */
  get keys(): readonly EdgeKey[] {
    return this.#keys.list;
  }

  /**
   * Counts the calls of one trace.
   * @param rows whose `[start, end)` is the trace, every span once
   * @param weight 1, or -1 to take them back
   */
  addTrace(rows: SpanRows, start: number, end: number, weight = 1): void {
    const finder = this.#finder;
    const { service, kind } = rows;
    finder.find(rows, start, end, this.#names.texts);
    const { callee, caller, leaves } = finder;
    for (let e = 0; e < callee.length; e++) {
      const i = callee[e]!;
      const edgeKind = kind[i] === SpanKind.consumer ? EdgeKind.messaging : EdgeKind.call;
      this.#add(rows, i, service[caller[e]!]!, service[i]!, edgeKind, false, weight);
    }
    for (const i of leaves) {
      const { peers } = rows.sources[rows.source[i]!]!;
      peers.find(rows.row[i]!);
      if (peers.name === 0) continue;
      this.#add(rows, i, service[i]!, peers.name, peers.kind, true, weight);
    }
  }

  #add(
    rows: SpanRows,
    i: number,
    caller: number,
    callee: number,
    kind: EdgeKind,
    isInferred: boolean,
    weight: number,
  ): void {
    const bits = edgeBits(kind, isInferred, rows.isError[i] === 1);
    const key = this.#keys.numberOf(packNamePair(caller, callee, bits));
    this.counts.add(key, rows.minute[i]!, rows.bucket[i]!, weight);
  }
}
