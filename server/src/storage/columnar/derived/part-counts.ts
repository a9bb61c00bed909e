// SPDX-License-Identifier: Apache-2.0
import type { SpanColumns } from '@spoor/core/model/span-columns.ts';
import type { TracePart } from '@spoor/core/query/join-trace.ts';
import type { CountedEdges, CountedSpans } from '#storage/counted.ts';
import type { KeepRows } from '#storage/derived-counts.ts';
import { hashTraces } from '../block/trace-filter.ts';
import type { HeadPart } from '../head/head-part.ts';
import type { OpenBlock, TraceSources } from '../search/trace-sources.ts';
import { GrowingCounts } from './growing-counts.ts';
import { PartFinder } from './part-finder.ts';

/** New rows that are counted at once, more or less. */
const STEP_ROWS = 4096;

/** Traces that are counted anew at once. */
const STEP_TRACES = 512;

/** Late spans mostly belong to traces of the last batches: how these are read is kept from question to question. */
const KEPT_SOURCES = 256;

/** The pieces before a part of the head. */
export interface EarlierPieces {
  readonly blocks: readonly OpenBlock[];
  readonly parts: readonly HeadPart[];
}

/** A piece: the id of a block, or a part of the head. */
type Piece = number | HeadPart;

/**
 * What a part of the head changes, after the pieces before it.
 *
 * Most of its traces are in no other piece, and count for themselves, whatever comes and goes. The others are counted together with
 * what the pieces before have of them, and anew when one of these pieces came, went or grew.
 */
export class PartCounts {
  readonly #part: HeadPart;
  /** Of traces that no piece before has. */
  readonly #alone = new GrowingCounts();
  /** Of those that one has. */
  #shared = new GrowingCounts();
  /** These, with the pieces. */
  readonly #places = new Map<number, readonly Piece[]>();
  /** Traces of the counted batches that are in neither of the two counts. */
  readonly #open = new Set<number>();
  /** Batches that are counted, and traces that are in them. */
  #batches = 0;
  #traces = 0;
  /** The pieces before it, with how much there was of them. */
  #seen = new Map<Piece, number>();
  /** Per counted batch 1 for rows that are no copies of what is before them. */
  readonly #kept: Uint8Array[] = [];
  #isWhole = true;

  constructor(part: HeadPart) {
    this.#part = part;
  }

  /** False once something failed while it was added to the counts: it is of no more use. */
  get isWhole(): boolean {
    return this.#isWhole;
  }

  /** Counts whose sum is what the part changes. */
  edges(): CountedEdges[] {
    return [...this.#alone.edges, ...this.#shared.edges];
  }

  /** As {@link edges}. */
  spans(): CountedSpans[] {
    return [...this.#alone.spans, ...this.#shared.spans];
  }

  /** Per batch, 1 for rows that are no copies of what is before them. */
  get kept(): readonly Uint8Array[] {
    return this.#kept;
  }

  /** Whether one of the parts is among the pieces before it, as it was counted last. */
  isAfter(parts: ReadonlySet<Piece>): boolean {
    return this.#seen.keys().some((piece) => parts.has(piece));
  }

  /** Takes over what is new; stopped between two steps, it goes on there. */
  update(sources: TraceSources, before: EarlierPieces, checkCancelled: () => void): void {
    this.#isWhole = false;
    this.#lookAt(sources, before);
    this.#isWhole = true;
    while (this.#open.size > 0) {
      checkCancelled();
      this.#countOpen(sources, before);
    }
    while (this.#batches < this.#part.batches.length) {
      checkCancelled();
      this.#countNew(sources, before);
    }
    this.#isWhole = false;
    this.#alone.settle();
    this.#shared.settle();
    this.#isWhole = true;
  }

  /** Opens the traces that may count otherwise after other pieces than those that were there. */
  #lookAt(sources: TraceSources, before: EarlierPieces): void {
    const seen = new Map<Piece, number>();
    for (const { id } of before.blocks) seen.set(id, 0);
    for (const part of before.parts) seen.set(part, part.batches.length);
    const added = new Set<Piece>();
    const gone = new Set<Piece>();
    for (const [piece, size] of seen) if (this.#seen.get(piece) !== size) added.add(piece);
    for (const [piece, size] of this.#seen) if (seen.get(piece) !== size) gone.add(piece);
    this.#seen = seen;
    if (this.#traces === 0 || added.size + gone.size === 0) return;
    let isChanged = [...this.#places.values()].some((places) => places.some((p) => gone.has(p)));
    for (const trace of this.#tracesIn(sources, before, added)) {
      isChanged = true;
      if (this.#places.has(trace) || this.#open.has(trace)) continue;
      this.#alone.counts.takeBack(this.#partsOf(trace, 0, this.#batches));
      this.#open.add(trace);
    }
    if (!isChanged) return;
    for (const trace of this.#places.keys()) this.#open.add(trace);
    this.#places.clear();
    this.#shared = new GrowingCounts();
  }

  /** Counted traces that some of the pieces have. */
  #tracesIn(
    sources: TraceSources,
    { blocks, parts }: EarlierPieces,
    some: ReadonlySet<Piece>,
  ): Set<number> {
    const found = new Set<number>();
    const ids = this.#part.ids;
    for (const part of parts) {
      if (!some.has(part)) continue;
      for (let trace = 0; trace < this.#traces; trace++) {
        if (part.find(ids, trace * 4) >= 0) found.add(trace);
      }
    }
    const bytes = new Uint8Array(ids.buffer, ids.byteOffset, this.#traces * 16);
    const hashes = hashTraces(bytes, this.#traces, (trace) => trace * 16);
    for (const block of blocks) {
      if (!some.has(block.id)) continue;
      sources.withBlock(block, (reader) => {
        for (const trace of reader.filter.select(hashes)) {
          const id = bytes.subarray(trace * 16, trace * 16 + 16);
          if (!found.has(trace) && reader.findTraceNumber(id) >= 0) found.add(trace);
        }
      });
    }
    return found;
  }

  #countOpen(sources: TraceSources, before: EarlierPieces): void {
    const some = [...this.#open].slice(0, STEP_TRACES);
    this.#count(sources, before, some, [0, this.#batches]);
    for (const trace of some) this.#open.delete(trace);
  }

  #countNew(sources: TraceSources, before: EarlierPieces): void {
    const { batches } = this.#part;
    const first = this.#batches;
    const some = new Set<number>();
    let end = first;
    for (let rows = 0; end < batches.length && rows < STEP_ROWS; end++) {
      const { batch } = batches[end]!;
      rows += batch.rows;
      this.#kept[end] = new Uint8Array(batch.rows);
      for (const trace of this.#part.tracesOf(end)) some.add(trace);
    }
    this.#count(sources, before, [...some], [first, end]);
    this.#batches = end;
    for (const trace of some) this.#traces = Math.max(this.#traces, trace + 1);
  }

  /** Counts what batches `[from, end)` have of traces; what those before have of them is counted already. */
  #count(
    sources: TraceSources,
    before: EarlierPieces,
    traces: readonly number[],
    [from, end]: readonly [number, number],
  ): void {
    this.#isWhole = false;
    // Of the others it is known that no piece before has them.
    const unknown = traces.filter(
      (trace) => from === 0 || trace >= this.#traces || this.#places.has(trace),
    );
    const earlier = this.#findEarlier(sources, before, unknown);
    const keep: KeepRows = (columns, rows) => {
      const kept = keptOf.get(columns)!;
      for (let i = 0; i < rows.length; i++) kept[rows[i]!] = 1;
    };
    const keptOf = new Map<SpanColumns, Uint8Array>();
    for (let at = from; at < end; at++) {
      keptOf.set(this.#part.batches[at]!.batch, this.#kept[at]!);
    }
    for (const trace of traces) {
      const known = this.#partsOf(trace, 0, from);
      const added = this.#partsOf(trace, from, end);
      for (const { columns, rows } of added) {
        const kept = keptOf.get(columns)!;
        for (let i = 0; i < rows.length; i++) kept[rows[i]!] = 0;
      }
      const places = earlier.get(trace);
      if (places === undefined) {
        this.#alone.counts.addTrace([...known, ...added], known.length, keep);
        continue;
      }
      this.#places.set(trace, places.pieces);
      const all = [...places.parts, ...known, ...added];
      this.#shared.counts.addTrace(all, places.parts.length + known.length, keep);
    }
    this.#releaseSources();
    this.#isWhole = true;
  }

  /** What the pieces before have of traces. */
  #findEarlier(
    sources: TraceSources,
    { blocks, parts }: EarlierPieces,
    traces: readonly number[],
  ): Map<number, { pieces: Piece[]; parts: TracePart[] }> {
    const { ids } = this.#part;
    const found = new Map<number, { pieces: Piece[]; parts: TracePart[] }>();
    const inOrder = sortedById(ids, traces);
    new PartFinder(sources, blocks).find(inOrder.bytes, traces.length).forEach((one) => {
      found.set(inOrder.traces[one.trace]!, { pieces: [...one.blocks], parts: [...one.parts] });
    });
    for (const part of parts) {
      for (const trace of traces) {
        const rows = partRows(part, part.find(ids, trace * 4), 0, part.batches.length);
        if (rows.length === 0) continue;
        let places = found.get(trace);
        if (places === undefined) found.set(trace, (places = { pieces: [], parts: [] }));
        places.pieces.push(part);
        places.parts.push(...rows);
      }
    }
    return found;
  }

  #partsOf(trace: number, from: number, end: number): TracePart[] {
    return partRows(this.#part, trace, from, end);
  }

  #releaseSources(): void {
    const last = this.#part.batches.slice(-KEPT_SOURCES).map(({ batch }) => batch);
    const kept = new Set<unknown>(last);
    this.#alone.counts.releaseSources(kept);
    this.#shared.counts.releaseSources(kept);
  }
}

/** Rows of a trace in the batches `[from, end)` of a part. */
function partRows(part: HeadPart, trace: number, from: number, end: number): TracePart[] {
  return part
    .rowsOf(trace)
    .filter(({ at }) => at >= from && at < end)
    .map(({ head, rows }) => ({ columns: head.batch, rows }));
}

/** Traces in the order of their ids, with these ids, 16 bytes each. @param words ids by trace, four words each */
function sortedById(
  words: Uint32Array,
  traces: readonly number[],
): { traces: readonly number[]; bytes: Uint8Array } {
  const all = Buffer.from(words.buffer, words.byteOffset, words.byteLength);
  const sorted = traces.toSorted((a, b) =>
    all.compare(all, b * 16, b * 16 + 16, a * 16, a * 16 + 16),
  );
  const bytes = new Uint8Array(sorted.length * 16);
  sorted.forEach((trace, i) => bytes.set(all.subarray(trace * 16, trace * 16 + 16), i * 16));
  return { traces: sorted, bytes };
}
