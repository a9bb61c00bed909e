// SPDX-License-Identifier: Apache-2.0
import { crc32 } from 'node:zlib';
import { SpoorError } from '@spoor/core/model/errors.ts';
import { formatTraceId, traceIdBytes, type TraceId } from '@spoor/core/model/ids.ts';
import type { ShapeTable, SymbolTable } from '@spoor/core/model/span-columns.ts';
import { symbolBytes } from '@spoor/core/model/span-reader.ts';
import { decodeResource } from '@spoor/core/model/value-decoder.ts';
import type { TracePart } from '@spoor/core/query/join-trace.ts';
import { BlockBytes } from './block-bytes.ts';
import { BlockDictionary } from './block-dictionary.ts';
import {
  BLOCK_FORMAT_VERSION,
  BLOCK_MAGIC,
  type BlockFooter,
  type ChunkRef,
  type TableRef,
} from './block-format.ts';
import { decodeTrailer, newerFormat, TRAILER_BYTES } from './block-trailer.ts';
import { decodeCodes, decodeCodesList } from './chunk-codec.ts';
import { decodeFooter } from './footer-codec.ts';
import type { ByteCache } from './frame-cache.ts';
import { GRAM_BYTES, GramSet } from './gram-set.ts';
import type { FrameScratch } from './frame-scratch.ts';
import { frameRuns } from './frame-runs.ts';
import { OpenFiles } from '../files/open-files.ts';
import { RowGroup } from './row-group.ts';
import { decodeRanges, type StartRange } from './start-ranges.ts';
import { TraceFilter } from './trace-filter.ts';
import { decodeValues } from './values-chunk.ts';

/** Rows of one trace in a group. */
export interface TraceRows {
  readonly group: RowGroup;
  /** `[start, end)` */
  readonly start: number;
  readonly end: number;
}

/** Operations of a block, as codes; one entry an operation. */
export interface BlockOperations {
  readonly resource: Uint32Array;
  readonly name: Uint32Array;
  readonly kind: Uint32Array;
  /** In how many groups it is; 0 where that is not told. */
  readonly inGroups: Uint32Array;
  /** These groups: those of the first operation, of the second, … */
  readonly list: Uint32Array;
}

/** Reads one block file. The trace filter stays in memory, the footer until it is let go; everything else comes through the cache. */
export class BlockReader {
  readonly minStartUnixNano: bigint;
  readonly maxStartUnixNano: bigint;
  readonly filter: TraceFilter;
  /** Every start is in one of these. */
  readonly startRanges: readonly StartRange[];
  #footer: BlockFooter | undefined;
  #checksum = 0;
  /** Bytes of the footer before it was decoded, which is about what it takes. */
  #footerBytes = 0;
  readonly #files: OpenFiles;
  readonly #bytes: BlockBytes;
  readonly #cacheKey: string;
  readonly #cache: ByteCache<unknown>;
  readonly #dictionaries = new Map<number, BlockDictionary>();
  readonly #frameKeys = new Map<number, string>();
  readonly #serviceNames: string[] = [];
  #shapes: ShapeTable | undefined;
  #firstTraces: Uint32Array | undefined;

  /**
   * @param id what the block is called in the cache
   * @param files what the file is read through
   * @throws {SpoorError} corrupt, with the path; unavailable when the file cannot be read just now
   */
  constructor(path: string, id: number, cache: ByteCache<unknown>, files = new OpenFiles()) {
    this.#bytes = new BlockBytes(path, files);
    this.#cacheKey = `${id}:`;
    this.#cache = cache;
    this.#files = files;
    try {
      this.minStartUnixNano = BigInt(this.footer.minStart);
      this.maxStartUnixNano = BigInt(this.footer.maxStart);
      this.startRanges = decodeRanges(
        this.footer.startRanges ?? [this.footer.minStart, this.footer.maxStart],
      );
      this.filter =
        this.footer.version === 1
          ? this.#makeFilter()
          : new TraceFilter(this.#chunk(this.footer.filter).slice());
    } catch (error) {
      files.close(path);
      throw error;
    }
  }

  get path(): string {
    return this.#bytes.path;
  }

  /** Why a part of the block could not be read, once that was tried; undefined while all is well. */
  get damage(): SpoorError | undefined {
    return this.#bytes.damage;
  }

  /** @throws {SpoorError} corrupt, unavailable: it was let go, and cannot be read any more */
  get footer(): BlockFooter {
    if (this.#footer === undefined) {
      try {
        this.#footer = this.#readFooter();
      } catch (error) {
        if (error instanceof SpoorError && error.code === 'corrupt') this.#bytes.damage = error;
        throw error;
      }
    }
    return this.#footer;
  }

  /** CRC-32 of the footer, and with it of the whole file: another block has another one. */
  get checksum(): number {
    return this.#checksum;
  }

  /** Memory that {@link release} gives back, roughly. */
  get footerBytes(): number {
    const footer = this.#footer === undefined ? 0 : this.#footerBytes;
    const shapes =
      this.#shapes === undefined ? 0 : this.#shapes.count + this.#shapes.columns.length;
    return footer + shapes * 4 + this.#frameKeys.size * FRAME_KEY_BYTES;
  }

  /** Lets the footer and what was made of it go: it is read again when it is needed. */
  release(): void {
    this.#footer = undefined;
    this.#shapes = undefined;
    this.#dictionaries.clear();
    this.#frameKeys.clear();
  }

  /** Frees the file and what is cached of it. */
  close(): void {
    this.#files.close(this.path);
    this.#cache.drop(this.#cacheKey);
  }

  /** Whether the first bytes are those of a block; nothing that is asked needs them. */
  get hasMagic(): boolean {
    const start = this.#bytes.read(0, BLOCK_MAGIC.length);
    return BLOCK_MAGIC.every((byte, i) => start[i] === byte);
  }

  /**
   * Reads all of the file behind its first bytes and compares every checksum.
   * @returns its size
   * @throws {SpoorError} corrupt, unavailable
   */
  verify(): number {
    const { frames } = this.footer;
    const offset = (frame: number): number => frames[frame * 4]!;
    // A frame gets its number before those that are written while it fills.
    const inFile = Array.from({ length: frames.length / 4 }, (_, frame) => frame).sort(
      (a, b) => offset(a) - offset(b),
    );
    let end = BLOCK_MAGIC.length;
    for (const frame of inFile) {
      if (offset(frame) !== end) throw this.#bytes.damaged(`bytes from ${end} on are in no frame`);
      this.#frame(frame);
      end += frames[frame * 4 + 1]!;
    }
    // The footer was read when the block was opened.
    return this.#bytes.size();
  }

  /** Group `g`. */
  group(g: number): RowGroup {
    return new RowGroup(this, g);
  }

  /**
   * Something made from a chunk of a group, kept in the cache. Each `what` stands for one type of result.
   * @param bytes of memory that it takes
   */
  decoded<Value>(
    group: number,
    what: string,
    bytes: number | ((value: Value) => number),
    make: () => Value,
  ): Value {
    const key = `${this.#cacheKey}${group} ${what}`;
    const known = this.#cache.get(key);
    // Only what this very call made before is under the key.
    if (known !== undefined) return known as Value;
    const value = make();
    this.#cache.set(key, value, typeof bytes === 'number' ? bytes : bytes(value));
    return value;
  }

  /**
   * The rows of a trace, or undefined when the block has none of it.
   * @param known a group of this block; it is used when the trace would be in it
   */
  findTrace(id: TraceId, known?: RowGroup): TraceRows | undefined {
    const bytes = traceIdBytes(id);
    if (!this.filter.mayHave(bytes, 0)) return undefined;
    const g = this.#groupWith(id);
    if (g < 0) return undefined;
    const group = known?.number === g ? known : this.group(g);
    const trace = group.findTrace(bytes);
    if (trace < 0) return undefined;
    return { group, start: group.traceStarts[trace]!, end: group.traceStarts[trace + 1]! };
  }

  /** Number of the first trace of each group, and the number of traces at the end. */
  get firstTraces(): Uint32Array {
    if (this.#firstTraces === undefined) {
      const { groups } = this.footer;
      const first = new Uint32Array(groups.length + 1);
      groups.forEach(({ traces }, g) => {
        first[g + 1] = first[g]! + traces;
      });
      this.#firstTraces = first;
    }
    return this.#firstTraces;
  }

  /** Number of the group that has a trace, given by its number in the block. */
  groupOf(trace: number): number {
    const first = this.firstTraces;
    let low = 0;
    let high = first.length - 1;
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      if (first[middle]! <= trace) low = middle;
      else high = middle;
    }
    return low;
  }

  /** The rows of a trace. @param group the one it is in, where that is at hand */
  part(trace: number, group = this.group(this.groupOf(trace))): TracePart {
    const t = trace - this.firstTraces[group.number]!;
    return group.part(group.traceStarts[t]!, group.traceStarts[t + 1]!);
  }

  /** Number of the trace with this id, 16 bytes, or -1. The filter is not asked. */
  findTraceNumber(id: Uint8Array): number {
    const g = this.#groupWith(formatTraceId(id, 0));
    if (g < 0) return -1;
    const trace = this.group(g).findTrace(id);
    return trace < 0 ? -1 : this.firstTraces[g]! + trace;
  }

  /**
   * Bytes of a chunk; null is an empty one.
   * @param scratch where they may be, until it is cleared: the frame is kept in the cache only where nothing has to go for it
   */
  chunk(ref: ChunkRef | null, scratch?: FrameScratch): Uint8Array {
    if (ref === null) return NOTHING;
    if (scratch === undefined) return this.#chunk(ref);
    const [frame, offset, length] = ref;
    return this.#frameIn(scratch, frame).subarray(offset, offset + length);
  }

  /** As {@link chunk}, for what is looked at once: it does not push out of the cache what is needed again. */
  chunkOnce([frame, offset, length]: ChunkRef): Uint8Array {
    return this.#frame(frame, false).subarray(offset, offset + length);
  }

  /**
   * As {@link chunkOnce} for many: frames that stand one after the other are read together.
   * @param scratch where a chunk may be until the next one is asked for; nobody else may use it meanwhile
   */
  *chunksOnce(
    refs: readonly ChunkRef[],
    scratch?: FrameScratch,
  ): Generator<Uint8Array, void, undefined> {
    for (const { first, end } of frameRuns(this.footer, refs)) {
      scratch?.clear();
      if (end - first === 1) yield this.chunkOnce(refs[first]!);
      else yield* this.#readFrames(refs.slice(first, end), scratch);
    }
  }

  /** A list of symbols, kept in the cache. */
  table(ref: TableRef): SymbolTable {
    const key = `${this.#cacheKey}table ${ref.chunk[0]} ${ref.chunk[1]}`;
    const known = this.#cache.get(key);
    // Only symbol tables are put under these keys.
    if (known !== undefined) return known as SymbolTable;
    const table = decodeValues(this.#tableBytes(ref.chunk), ref.count);
    this.#cache.set(key, table, table.bytes.length + table.offsets.length * 4);
    return table;
  }

  /** The dictionary of a column; the same object each time, unless very many others were asked for meanwhile. */
  dictionary(column: number): BlockDictionary {
    let dictionary = this.#dictionaries.get(column);
    if (dictionary === undefined) {
      if (this.#dictionaries.size === MAX_DICTIONARIES) this.#dictionaries.clear();
      this.#dictionaries.set(column, (dictionary = new BlockDictionary(this, column)));
    }
    return dictionary;
  }

  /** Grams of a column's values, where the block has them; kept in the cache. */
  gramsOf(column: number): GramSet | undefined {
    const ref = this.footer.grams?.find((grams) => grams.column === column);
    if (ref === undefined) return undefined;
    return this.decoded(
      -1,
      `grams ${column}`,
      GRAM_BYTES,
      () => new GramSet(new Uint8Array(this.chunkOnce(ref.chunk))),
    );
  }

  /** Service of a resource, given by its code. */
  serviceName(code: number): string {
    return (this.#serviceNames[code] ??= decodeResource(
      symbolBytes(this.table(this.footer.resources), code),
    ).serviceName);
  }

  /** The sequences of columns that rows, events and links have. */
  get shapes(): ShapeTable {
    if (this.#shapes === undefined) {
      const { count, lengths, columns } = this.footer.shapes;
      const offsets = new Uint32Array(count + 1);
      const sizes = decodeCodes(this.#chunk(lengths), count);
      for (let i = 0; i < count; i++) offsets[i + 1] = offsets[i]! + sizes[i]!;
      this.#shapes = {
        count,
        offsets,
        columns: decodeCodes(this.#chunk(columns), offsets[count]!),
      };
    }
    return this.#shapes;
  }

  /** Per trace, in order: 1 where another block may have had rows of it when this one was written. */
  seenBefore(): Uint32Array {
    const { seenBefore, traces } = this.footer;
    // Version 1 did not note it.
    if (seenBefore === undefined) return new Uint32Array(traces).fill(1);
    return decodeCodes(this.#chunk(seenBefore), traces);
  }

  /** Distinct (resource, name, kind) of the block's spans, kept in the cache. */
  operations(): BlockOperations {
    const { count, chunk, groups, listed = 0 } = this.footer.operations;
    return this.decoded(-1, 'operations', count * 16 + listed * 4, () => {
      const [resource, name, kind] = decodeCodesList(this.#chunk(chunk), [count, count, count]);
      const [inGroups, list] =
        groups === undefined
          ? [new Uint32Array(count), new Uint32Array(0)]
          : decodeCodesList(this.#chunk(groups), [count, listed]);
      return { resource: resource!, name: name!, kind: kind!, inGroups: inGroups!, list: list! };
    });
  }

  /** The only group that a trace can be in, or -1. */
  #groupWith(id: TraceId): number {
    const { groups } = this.footer;
    let low = 0;
    let high = groups.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (groups[middle]!.firstTraceId <= id) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  #makeFilter(): TraceFilter {
    const filter = TraceFilter.sized(this.footer.traces);
    for (let g = 0; g < this.footer.groups.length; g++) {
      const { traceIds } = this.group(g);
      for (let at = 0; at < traceIds.length; at += 16) filter.add(traceIds, at);
    }
    return filter;
  }

  /** Of a shared frame, which is kept for the others in it, a copy: a view would hold all of it. */
  #tableBytes(ref: ChunkRef): Uint8Array {
    const [frame, , length] = ref;
    const { frames } = this.footer;
    const isShared = length < (frames[frame * 4 + 2]! || frames[frame * 4 + 1]!);
    return isShared ? new Uint8Array(this.#chunk(ref)) : this.chunkOnce(ref);
  }

  #chunk([frame, offset, length]: ChunkRef): Uint8Array {
    return this.#frame(frame).subarray(offset, offset + length);
  }

  #frame(frame: number, isKept = true): Uint8Array {
    const key = this.#frameKey(frame);
    const known = this.#known(key);
    if (known !== undefined) return known;
    const content = this.#readFrame(frame);
    if (isKept) this.#cache.set(key, content, content.length);
    return content;
  }

  #frameIn(scratch: FrameScratch, frame: number): Uint8Array {
    const key = this.#frameKey(frame);
    const held = scratch.get(key);
    if (held !== undefined) return held;
    const stored = this.footer.frames[frame * 4 + 1]!;
    const raw = this.footer.frames[frame * 4 + 2]!;
    const content =
      this.#known(key) ??
      (this.#cache.hasRoomFor(raw || stored)
        ? this.#frame(frame)
        : this.#readFrame(frame, scratch));
    scratch.set(key, content);
    return content;
  }

  #known(frameKey: string): Uint8Array | undefined {
    // Only frames are put under these keys.
    return this.#cache.get(frameKey) as Uint8Array | undefined;
  }

  #readFrame(frame: number, scratch?: FrameScratch): Uint8Array {
    const { frames } = this.footer;
    const bytes = this.#bytes.read(frames[frame * 4]!, frames[frame * 4 + 1]!, scratch);
    return this.#content(frame, bytes, scratch);
  }

  /** What is in a frame. @param bytes as it is stored */
  #content(frame: number, bytes: Uint8Array, scratch: FrameScratch | undefined): Uint8Array {
    const { frames } = this.footer;
    if (crc32(bytes) !== frames[frame * 4 + 3]!) {
      throw this.#bytes.damaged(`checksum of frame ${frame} is wrong`);
    }
    const raw = frames[frame * 4 + 2]!;
    return raw === 0 ? bytes : this.#bytes.decompress(bytes, raw, `frame ${frame}`, scratch);
  }

  /** Content of compressed frames that stand one after the other in the file. */
  *#readFrames(run: readonly ChunkRef[], scratch: FrameScratch | undefined): Generator<Uint8Array> {
    const { frames } = this.footer;
    const start = frames[run[0]![0] * 4]!;
    const last = run.at(-1)![0] * 4;
    const bytes = this.#bytes.read(start, frames[last]! + frames[last + 1]! - start, scratch);
    for (const [frame] of run) {
      const at = frames[frame * 4]! - start;
      yield this.#content(frame, bytes.subarray(at, at + frames[frame * 4 + 1]!), scratch);
    }
  }

  /** What a frame is called in the cache: a text that was made before is found there much faster. */
  #frameKey(frame: number): string {
    let key = this.#frameKeys.get(frame);
    if (key === undefined) this.#frameKeys.set(frame, (key = this.#cacheKey + frame));
    return key;
  }

  #readFooter(): BlockFooter {
    const size = this.#bytes.size();
    const tailBytes = Math.min(size, TRAILER_BYTES);
    const trailer = decodeTrailer(this.#bytes.read(size - tailBytes, tailBytes), size);
    if (trailer === undefined) {
      throw new SpoorError('corrupt', `block ${this.path}: ${size} bytes, not a whole block`);
    }
    const bytes = this.#bytes.read(trailer.footerAt, trailer.footerBytes);
    if (!trailer.isOf(bytes)) {
      throw new SpoorError('corrupt', `block ${this.path}: checksum of the footer is wrong`);
    }
    if (trailer.format > BLOCK_FORMAT_VERSION) {
      throw new SpoorError('corrupt', newerFormat(this.path, trailer.format));
    }
    this.#checksum = trailer.checksum;
    const content = this.#bytes.decompress(bytes, trailer.footerRawBytes, 'the footer');
    this.#footerBytes = content.length;
    return decodeFooter(content, trailer.format);
  }
}

/** Half a kB each; blocks with more columns than this are not made by those who mean well. */
const MAX_DICTIONARIES = 4096;

/** What a key of a frame takes, its place in the map included. */
const FRAME_KEY_BYTES = 64;

const NOTHING = new Uint8Array(0);
