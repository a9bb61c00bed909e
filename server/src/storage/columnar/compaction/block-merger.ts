// SPDX-License-Identifier: Apache-2.0
import { SpanContents } from '@spoor/core/query/span-contents.ts';
import { ShapeInterner } from '@spoor/core/model/shape-interner.ts';
import type { SymbolTable } from '@spoor/core/model/span-columns.ts';
import { BlockBuilder, type BlockFigures } from '../block/block-builder.ts';
import { BLOCK_MAGIC, GROUP_ROWS } from '../block/block-format.ts';
import type { BlockReader } from '../block/block-reader.ts';
import { FrameWriter } from '../block/frame-writer.ts';
import type { GroupRows } from '../block/group-writer.ts';
import { uniteTables } from '../block/value-dictionary.ts';
import { allEntries } from '../block/values-chunk.ts';
import { type KeptRows, MergeSource, type SourceMaps } from './merge-source.ts';
import { MergedGroup } from './merged-group.ts';
import { mergeColumns } from './merged-columns.ts';
import { MergedDerived, SharedTraces } from './merged-derived.ts';
import { SourceUse } from './source-use.ts';

/** A block to be merged, and which of its rows. */
export interface MergeInput {
  readonly reader: BlockReader;
  /** Asked once or twice for each group; undefined when all rows are kept. */
  readonly kept?: KeptRows | undefined;
}

/** What came of a merge. */
export interface MergeResult extends BlockFigures {
  /** Rows that were there twice. */
  readonly copies: number;
}

/**
 * Merges blocks of one tenant into one, group by group: each span once, without rows that are not kept.
 *
 * In memory are, at any time: of each source its footer, its shapes and one group; the group that is put together; for each entry of
 * the sources' dictionaries 4 bytes, and for each of the new ones 4; names, resources, scopes, keys and the values that name peers; a
 * trace filter of 2 bytes a trace; and at the end the counts of all sources. Nothing else grows with the number of spans.
 * @param write is given pieces of the file in order
 * @param isLate it comes after blocks that were made without it: all traces count as seen before
 * @throws {SpoorError} corrupt: a source is damaged
 */
export function mergeBlocks(
  inputs: readonly MergeInput[],
  write: (parts: readonly Uint8Array[]) => void,
  isLate = false,
): MergeResult {
  const frames = new FrameWriter(BLOCK_MAGIC.length);
  write([BLOCK_MAGIC]);
  const uses = inputs.map(useOf);
  const unite = (
    what: 'names' | 'resources' | 'scopes' | 'eventNames' | 'keys',
  ): { table: SymbolTable; maps: Uint32Array[] } =>
    uniteTables(
      inputs.map(({ reader }) => reader.table(reader.footer[what])),
      uses.map((use) => use?.[what]),
    );
  const names = unite('names');
  const resources = unite('resources');
  const scopes = unite('scopes');
  const eventNames = unite('eventNames');
  const keys = unite('keys');
  const columnSources = inputs.map(({ reader }, s) => ({
    reader,
    keys: keys.maps[s]!,
    use: uses[s],
  }));
  const { columns, dictionaries, ids, entries } = mergeColumns(columnSources, keys.table, frames);
  const shapes = new ShapeInterner();
  const sources = inputs.map(({ reader, kept }, s) => {
    const maps: SourceMaps = {
      names: names.maps[s]!,
      resources: resources.maps[s]!,
      scopes: scopes.maps[s]!,
      eventNames: eventNames.maps[s]!,
      shapes: mapShapes(reader, ids[s]!, uses[s], shapes),
      columns: ids[s]!,
      entries: entries[s]!,
    };
    return new MergeSource(reader, maps, kept);
  });
  const symbols = {
    names: names.table,
    resources: resources.table,
    scopes: scopes.table,
    eventNames: eventNames.table,
    keys: keys.table,
    shapes,
    columns,
  };
  const traces = inputs.reduce((sum, { reader }) => sum + reader.footer.traces, 0);
  const groups = new GroupMerger(sources, new MergedGroup(symbols));
  const readers = inputs.map(({ reader }) => reader);
  const isSummed = inputs.every(({ kept }) => kept === undefined) && MergedDerived.canSum(readers);
  const builder = new BlockBuilder({
    frames,
    symbols,
    dictionaries,
    maxTraces: traces,
    isSeenBefore: () => groups.takeSeenBefore() || isLate,
    ...(isSummed && { derived: new MergedDerived(readers, () => groups.shared) }),
  });
  for (let group = groups.next(); group !== undefined; group = groups.next()) {
    builder.add(group);
    write(frames.takeParts());
  }
  const { tail, figures } = builder.finish();
  write([...frames.takeParts(), ...tail]);
  return { ...figures, copies: groups.copies };
}

/** Puts groups together, trace by trace. */
class GroupMerger {
  copies = 0;
  /** Of the last group. */
  shared = new SharedTraces();
  #sources: MergeSource[];
  readonly #group: MergedGroup;
  /** Those that stand at the trace under way; used again for each trace. */
  readonly #standing: MergeSource[] = [];
  readonly #contents = new SpanContents();
  /** Per trace of the group whether a block that is not merged had rows of it before. */
  #seenBefore: boolean[] = [];
  #seenTaken = 0;

  constructor(sources: readonly MergeSource[], group: MergedGroup) {
    this.#sources = sources.filter(({ done }) => !done);
    this.#group = group;
  }

  /** Puts the next group together, in the memory of the last one; undefined when there is none. */
  next(): GroupRows | undefined {
    const group = this.#group;
    group.clear();
    this.#seenBefore = [];
    this.#seenTaken = 0;
    this.shared = new SharedTraces();
    const traceStarts = [0];
    while (group.rows < GROUP_ROWS && this.#sources.length > 0) {
      this.#takeTrace(this.#atLeastTrace());
      traceStarts.push(group.rows);
    }
    if (group.rows === 0) return undefined;
    return {
      ...group.view(),
      rows: allEntries(group.rows),
      traceStarts: Uint32Array.from(traceStarts),
    };
  }

  /** The sources that stand at the trace with the least id. */
  #atLeastTrace(): readonly MergeSource[] {
    const standing = this.#standing;
    standing.length = 0;
    for (const source of this.#sources) {
      const order = standing.length === 0 ? -1 : source.compareTrace(standing[0]!);
      if (order > 0) continue;
      if (order < 0) standing.length = 0;
      standing.push(source);
    }
    return standing;
  }

  /** Takes the trace that the sources stand at. */
  #takeTrace(standing: readonly MergeSource[]): void {
    // Of all blocks that have rows of a trace only the first one did not see it before: then all others say that they did.
    this.#seenBefore.push(standing.every((source) => source.isSeenBefore));
    if (standing.length === 1) standing[0]!.copyTrace(this.#group);
    else this.#interleave(standing);
    let ended = false;
    for (const source of standing) {
      source.nextTrace();
      ended ||= source.done;
    }
    if (ended) this.#sources = this.#sources.filter(({ done }) => !done);
  }

  /** What the next trace of the group is marked with. */
  takeSeenBefore(): boolean {
    return this.#seenBefore[this.#seenTaken++]!;
  }

  /** Takes a trace over of which several sources have rows. */
  #interleave(sources: readonly MergeSource[]): void {
    const start = this.#group.rows;
    const parts = new Map(sources.map((source) => [source, [] as number[]]));
    this.#takeRows(sources, parts);
    this.shared.whole.add(Array.from({ length: this.#group.rows - start }, (_, i) => start + i));
    for (const rows of parts.values()) this.shared.parts.add(rows);
  }

  /** @param parts gets the rows of each source by their numbers in the group */
  #takeRows(sources: readonly MergeSource[], parts: Map<MergeSource, number[]>): void {
    let rest = [...sources];
    const first: MergeSource[] = [];
    for (;;) {
      rest = rest.filter(({ row, end }) => row < end);
      if (rest.length === 0) return;
      first.length = 0;
      for (const source of rest) {
        const order = first.length === 0 ? -1 : source.compareRow(first[0]!);
        if (order > 0) continue;
        if (order < 0) first.length = 0;
        first.push(source);
      }
      if (first.length === 1) {
        parts.get(first[0]!)!.push(this.#group.rows);
        first[0]!.copy(this.#group, 1);
        first[0]!.skipDropped();
      } else {
        this.#takeEqual(first, parts);
      }
    }
  }

  /** Takes over, of rows with the same ids and start in several sources, each content once. */
  #takeEqual(sources: readonly MergeSource[], parts: Map<MergeSource, number[]>): void {
    const places = sources.flatMap((source) => {
      const { row, group } = source;
      const end = source.equalEnd();
      const columns = group.slice(row, end);
      const rows = Array.from({ length: end - row }, (_, i) => ({ columns, row: i, source }));
      return rows.filter((place) => source.isKept(row + place.row));
    });
    const firsts = this.#contents.firsts(places);
    const taken = new Map<(typeof places)[number], number>();
    for (const place of places) {
      const { source } = place;
      const first = firsts.get(place)!;
      if (first === place) {
        taken.set(place, this.#group.rows);
        source.copy(this.#group, 1);
      } else {
        source.skip();
        this.copies++;
      }
      parts.get(source)!.push(taken.get(first)!);
      source.skipDropped();
    }
  }
}

function useOf({ reader, kept }: MergeInput): SourceUse | undefined {
  if (kept === undefined) return undefined;
  const use = new SourceUse(reader);
  reader.footer.groups.forEach((_, g) => use.add(reader.group(g), kept(g)));
  return use;
}

function mapShapes(
  reader: BlockReader,
  columnIds: Uint32Array,
  use: SourceUse | undefined,
  shapes: ShapeInterner,
): Uint32Array {
  const { count, offsets, columns } = reader.shapes;
  const map = new Uint32Array(count);
  for (let shape = 0; shape < count; shape++) {
    if (use !== undefined && use.shapes[shape] === 0) continue;
    const ids = columns
      .subarray(offsets[shape], offsets[shape + 1])
      .map((column) => columnIds[column]!);
    map[shape] = shapes.intern(ids, ids.length);
  }
  return map;
}
