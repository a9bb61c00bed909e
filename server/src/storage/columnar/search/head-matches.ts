// SPDX-License-Identifier: Apache-2.0
import { selectRows } from '@spoor/core/query/predicate.ts';
import { RowSet } from '@spoor/core/query/row-set.ts';
import { selectStarts } from '@spoor/core/query/time-window.ts';
import { type HeadBatch, ROUGH_SLACK_NANOS } from '../head/head-batch.ts';
import type { HeadPart } from '../head/head-part.ts';
import { compileHeadChoice } from './head-choice.ts';
import type { LooseTrace } from './loose-trace.ts';
import type { LooseTraces } from './loose-traces.ts';
import type { SearchTerms } from './searched-block.ts';

/** No more traces are named one by one: what is more common is found soon by looking at the best ones. */
const FEW_TRACES = 256;

/** Where a batch is in the head. */
interface BatchPlace {
  readonly part: HeadPart;
  readonly at: number;
}

/** Which traces of the head match, as far as their spans there tell, while one question is answered. */
export class HeadMatches {
  readonly #parts: readonly HeadPart[];
  readonly #loose: LooseTraces;
  readonly #terms: SearchTerms;
  /** Whether every span meets `where`. */
  readonly #wantsAll: boolean;
  /** Of the window, as doubles. */
  readonly #startMin: number;
  readonly #startMax: number;
  /** Batches that may have some. */
  #places: Map<HeadBatch, BatchPlace> | undefined;
  readonly #matches = new Map<HeadBatch, Uint8Array | undefined>();
  #few: ReadonlyMap<number, ReadonlySet<number>> | 'many' | undefined;

  constructor(parts: readonly HeadPart[], loose: LooseTraces, terms: SearchTerms) {
    this.#parts = parts;
    this.#loose = loose;
    this.#terms = terms;
    const { where, startMinUnixNano, startMaxUnixNano } = terms.query;
    this.#wantsAll = where.op === 'and' && where.args.length === 0;
    this.#startMin = Number(startMinUnixNano);
    this.#startMax = Number(startMaxUnixNano);
  }

  /** All traces that match, by page, all given by their numbers; undefined where there are many. */
  get few(): ReadonlyMap<number, ReadonlySet<number>> | undefined {
    this.#few ??= this.#findFew() ?? 'many';
    return this.#few === 'many' ? undefined : this.#few;
  }

  /** Whether a trace matches, as far as that was found out. */
  mayMatch(trace: LooseTrace): boolean {
    if (!trace.isInHead) return false;
    const { few } = this;
    return few === undefined || few.get(trace.page)?.has(trace.number) === true;
  }

  /** Whether a span of a trace in the head is in the window and meets `where`. */
  matches({ head: parts }: LooseTrace): boolean {
    for (const { head, trace } of parts) if (this.#matchesIn(head)?.[trace] === 1) return true;
    return false;
  }

  #findFew(): Map<number, Set<number>> | undefined {
    const found = new Map<number, Set<number>>();
    let count = 0;
    // The newest first: if there are many, these are looked at anyway.
    for (const head of [...this.#chosen.keys()].reverse()) {
      this.#terms.checkCancelled();
      const matches = this.#matchesIn(head);
      if (matches === undefined) continue;
      for (let t = matches.indexOf(1); t >= 0; t = matches.indexOf(1, t + 1)) {
        const { number, page } = this.#loose.ofHead(head, t);
        const known = found.get(page);
        if (known === undefined) found.set(page, new Set([number]));
        else known.add(number);
        if (++count > FEW_TRACES) return undefined;
      }
    }
    return found;
  }

  get #chosen(): ReadonlyMap<HeadBatch, BatchPlace> {
    if (this.#places === undefined) {
      this.#places = new Map();
      const choose = compileHeadChoice(this.#terms.query.where);
      for (const part of this.#parts) {
        const mayHave = choose(part);
        if (mayHave === undefined) continue;
        const { batches } = part;
        for (let at = 0; at < batches.length; at++) {
          const head = batches[at]!;
          if (this.#mayBeInside(head) && mayHave(head)) this.#places.set(head, { part, at });
        }
      }
    }
    return this.#places;
  }

  #mayBeInside({ minStart, maxStart }: HeadBatch): boolean {
    return (
      maxStart + ROUGH_SLACK_NANOS >= this.#startMin &&
      minStart - ROUGH_SLACK_NANOS <= this.#startMax
    );
  }

  /** Of a batch, 1 for each trace with a span that is in the window and meets `where`; undefined where there is none. */
  #matchesIn(head: HeadBatch): Uint8Array | undefined {
    let matches = this.#matches.get(head);
    if (matches === undefined && !this.#matches.has(head)) {
      matches = this.#wantsAll && this.#isInside(head) ? allOf(head) : this.#findIn(head);
      this.#matches.set(head, matches);
    }
    return matches;
  }

  #findIn(head: HeadBatch): Uint8Array | undefined {
    const place = this.#chosen.get(head);
    const rows = place && this.#rowsIn(head, place);
    if (rows === undefined || rows.isEmpty) return undefined;
    const { count, traceOf } = head.traces;
    const matches = new Uint8Array(count);
    for (const row of rows.toRows()) matches[traceOf[row]!] = 1;
    return matches;
  }

  #rowsIn(head: HeadBatch, { part, at }: BatchPlace): RowSet | undefined {
    const { known, query, where } = this.#terms;
    const { batch } = head;
    const rows = known.inGroup(part, at, () => {
      const selected = selectRows(where, batch, undefined);
      return selected?.isEmpty === true ? undefined : selected;
    });
    if (rows === undefined || this.#isInside(head)) return rows;
    // The set itself is kept, without the window.
    const inside = new RowSet(batch.rows).unite(rows);
    selectStarts(inside, batch, query);
    return inside;
  }

  /** Whether all spans of a batch are surely in the window. */
  #isInside({ minStart, maxStart }: HeadBatch): boolean {
    return (
      minStart - ROUGH_SLACK_NANOS >= this.#startMin &&
      maxStart + ROUGH_SLACK_NANOS < this.#startMax
    );
  }
}

function allOf({ traces }: HeadBatch): Uint8Array {
  return new Uint8Array(traces.count).fill(1);
}
