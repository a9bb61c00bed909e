// SPDX-License-Identifier: Apache-2.0
import type { AttributeLevel, ValueType } from '@spoor/core/model/attributes.ts';
import { formatTraceId } from '@spoor/core/model/ids.ts';
import type { ShapeTable, SymbolTable } from '@spoor/core/model/span-columns.ts';
import {
  BLOCK_FORMAT_VERSION,
  type BlockFooter,
  type BlockGroup,
  type CountsRef,
  type EdgesRef,
  type TableRef,
} from './block-format.ts';
import type { BlockSection } from './block-section.ts';
import { encodeTrailer } from './block-trailer.ts';
import { encodeCodes } from './chunk-codec.ts';
import { DerivedSection } from './derived-section.ts';
import type { DictionaryWriter } from './dictionary-writer.ts';
import { compactGroup, encodeFooter } from './footer-codec.ts';
import type { FrameWriter } from './frame-writer.ts';
import { type GroupRows, GroupWriter } from './group-writer.ts';
import { OperationsSection } from './operations-section.ts';
import { SeenBeforeSection } from './seen-before-section.ts';
import { encodeRanges, StartRanges } from './start-ranges.ts';
import { SummariesSection } from './summaries-section.ts';
import { TraceFilter } from './trace-filter.ts';
import { allEntries, encodeValues } from './values-chunk.ts';
import { compress } from './zstd.ts';

/** A block has one footer, which is read whenever the block is opened. */
const FOOTER_LEVEL = 3;

/** What is the same in all groups of a block. */
interface BlockSymbols {
  readonly names: SymbolTable;
  readonly resources: SymbolTable;
  readonly scopes: SymbolTable;
  readonly eventNames: SymbolTable;
  readonly keys: SymbolTable;
  readonly shapes: ShapeTable;
  readonly columns: readonly {
    readonly level: AttributeLevel;
    readonly type: ValueType;
    readonly key: number;
    readonly isPlain: boolean;
  }[];
}

/** Options of {@link BlockBuilder}. */
interface BlockBuilderOptions {
  /** With the dictionaries, and nothing else. */
  readonly frames: FrameWriter;
  readonly symbols: BlockSymbols;
  /** Those of all columns, written already. */
  readonly dictionaries: DictionaryWriter;
  /** As many traces as there can be at most; the trace filter is made for them. */
  readonly maxTraces: number;
  /** Asked once for each trace, in order; see {@link SeenBeforeSection}. */
  readonly isSeenBefore: () => boolean;
  /** Counts of calls and spans. */
  readonly derived?: BlockSection<{ edges: EdgesRef; red: CountsRef }>;
}

/** A whole block, and what the manifest says of it. */
export interface BlockFigures {
  readonly bytes: number;
  readonly rows: number;
  readonly traces: number;
  /** Unix epoch ns. */
  readonly minStartUnixNano: bigint;
  readonly maxStartUnixNano: bigint;
}

/**
 * Writes a block group by group: the one way in which all blocks are made. What goes to the frames can be written to the file at any
 * time.
 */
export class BlockBuilder {
  readonly #frames: FrameWriter;
  readonly #symbols: BlockSymbols;
  readonly #dictionaries: DictionaryWriter;
  readonly #groupWriter: GroupWriter;
  readonly #groups: BlockGroup[] = [];
  readonly #filter: TraceFilter;
  readonly #operations = new OperationsSection();
  readonly #seenBefore: SeenBeforeSection;
  readonly #derived: NonNullable<BlockBuilderOptions['derived']>;
  readonly #summaries = new SummariesSection();
  readonly #starts = new StartRanges();
  #rows = 0;
  #traces = 0;

  constructor({
    frames,
    symbols,
    dictionaries,
    maxTraces,
    isSeenBefore,
    derived = new DerivedSection(),
  }: BlockBuilderOptions) {
    this.#frames = frames;
    this.#symbols = symbols;
    this.#dictionaries = dictionaries;
    this.#filter = TraceFilter.sized(maxTraces);
    this.#seenBefore = new SeenBeforeSection(isSeenBefore);
    this.#derived = derived;
    const sizes = symbols.columns.map((_, c) => dictionaries.indexedEntries(c));
    this.#groupWriter = new GroupWriter(symbols.keys, sizes, frames);
  }

  /** Writes the next traces as one group. */
  add(group: GroupRows): void {
    const { columns, rows, traceStarts } = group;
    const traces = traceStarts.length - 1;
    for (let t = 0; t < traces; t++) this.#filter.add(columns.traceId, rows[traceStarts[t]!]! * 16);
    this.#operations.add(group);
    this.#seenBefore.add(group);
    this.#derived.add(group);
    this.#summaries.add(group);
    const firstTraceId = formatTraceId(columns.traceId, rows[0]! * 16);
    this.#groups.push(compactGroup({ firstTraceId, ...this.#groupWriter.write(group) }));
    this.#frames.flush();
    this.#starts.add(columns, rows);
    this.#rows += rows.length;
    this.#traces += traces;
  }

  /** The end of the file, after all frames. */
  finish(): { tail: Uint8Array[]; figures: BlockFigures } {
    const frames = this.#frames;
    const { shapes, columns } = this.#symbols;
    const ranges = this.#starts.finish();
    const minStart = ranges[0]!.min;
    const maxStart = ranges.at(-1)!.max;
    const shapeLengths = new Uint32Array(shapes.count);
    for (let i = 0; i < shapes.count; i++) {
      shapeLengths[i] = shapes.offsets[i + 1]! - shapes.offsets[i]!;
    }
    const grams = this.#dictionaries.finishGrams();
    const footer: BlockFooter = {
      version: BLOCK_FORMAT_VERSION,
      rows: this.#rows,
      traces: this.#traces,
      minStart: minStart.toString(),
      maxStart: maxStart.toString(),
      startRanges: encodeRanges(ranges),
      names: this.#table('names', this.#symbols.names),
      resources: this.#table('resources', this.#symbols.resources),
      scopes: this.#table('scopes', this.#symbols.scopes),
      eventNames: this.#table('event names', this.#symbols.eventNames),
      keys: this.#table('keys', this.#symbols.keys),
      shapes: {
        count: shapes.count,
        lengths: frames.chunk('shapes', (sink) => encodeCodes(sink, shapeLengths, shapes.count)),
        columns: frames.chunk('shapes', (sink) =>
          encodeCodes(sink, shapes.columns, shapes.offsets[shapes.count]!),
        ),
      },
      operations: this.#operations.finish(frames),
      seenBefore: this.#seenBefore.finish(frames),
      ...this.#derived.finish(frames),
      summaries: this.#summaries.finish(frames),
      columns: this.#dictionaries.finish(columns, this.#groupWriter.groupBits),
      ...(grams && { grams }),
      groups: this.#groups,
      filter: frames.rawChunk('trace filter', this.#filter.bits),
      frames: (frames.flush(), frames.frames),
      bytesBy: frames.bytesBy,
    };
    const tail = footerParts(footer);
    return {
      tail,
      figures: {
        bytes: frames.offset + tail.reduce((sum, part) => sum + part.length, 0),
        rows: this.#rows,
        traces: this.#traces,
        minStartUnixNano: minStart,
        maxStartUnixNano: maxStart,
      },
    };
  }

  #table(what: string, symbols: SymbolTable): TableRef {
    const { count } = symbols;
    const chunk = this.#frames.chunk(what, (sink) =>
      encodeValues(sink, symbols, allEntries(count), count),
    );
    return { count, chunk };
  }
}

function footerParts(footer: BlockFooter): Uint8Array[] {
  const raw = encodeFooter(footer);
  const stored = compress(raw, FOOTER_LEVEL);
  return [stored, encodeTrailer(stored, raw.length)];
}
