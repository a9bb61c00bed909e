// SPDX-License-Identifier: Apache-2.0
import { edgeBits, edgeKey } from '@spoor/core/analysis/edge-counts.ts';
import type { MinuteTable } from '@spoor/core/analysis/minute-counts.ts';
import { redBits, redKey } from '@spoor/core/analysis/red-counts.ts';
import type { SymbolTable } from '@spoor/core/model/span-columns.ts';
import { symbolBytes, symbolText } from '@spoor/core/model/span-reader.ts';
import { SymbolInterner } from '@spoor/core/model/symbol-interner.ts';
import { encodeText } from '@spoor/core/model/utf8.ts';
import { decodeResource } from '@spoor/core/model/value-decoder.ts';
import type { CountedEdges, CountedSpans } from '#storage/counted.ts';
import type { CountsRef, EdgesRef } from './block-format.ts';
import type { BlockReader } from './block-reader.ts';
import { codesLength, decodeCodes, encodeCodes } from './chunk-codec.ts';
import type { FrameWriter } from './frame-writer.ts';
import { allEntries, encodeValues } from './values-chunk.ts';

/** Writes counted calls, with the names of services of their own: peers are in no other table of the block. */
export function writeEdges(frames: FrameWriter, { texts, keys, table }: CountedEdges): EdgesRef {
  const names = new SymbolInterner(64, 1024);
  const codes = new Map<number, number>();
  const codeOf = (number: number): number => {
    let code = codes.get(number);
    if (code === undefined) {
      const bytes = encodeText(texts[number]!);
      code = names.intern(bytes, 0, bytes.length);
      codes.set(number, code);
    }
    return code;
  };
  const counts = writeCounts(frames, 'edges', table, [
    keys.map(({ caller }) => codeOf(caller)),
    keys.map(({ callee }) => codeOf(callee)),
    keys.map(({ kind, isInferred, isError }) => edgeBits(kind, isInferred, isError)),
  ]);
  const chunk = frames.chunk('edges', (sink) =>
    encodeValues(sink, names, allEntries(names.count), names.count),
  );
  return { ...counts, names: { count: names.count, chunk } };
}

/** Counted calls of a block that has them. */
export function readEdges(reader: BlockReader, ref: EdgesRef): CountedEdges {
  const names = reader.table(ref.names);
  const {
    table,
    keys: [callers, callees, bits],
  } = readCounts(reader, ref, 3);
  return {
    texts: Array.from({ length: names.count }, (_, code) => symbolText(names, code)),
    keys: Array.from(callers!, (caller, i) => edgeKey(caller, callees![i]!, bits![i]!)),
    table,
  };
}

/** Writes counted spans; services and operations are named by symbols of the block, a service by any resource that has its name. */
export function writeSpanCounts(
  frames: FrameWriter,
  { textOf, keys, table }: CountedSpans,
  symbols: { readonly names: SymbolTable; readonly resources: SymbolTable },
): CountsRef {
  const nameOf = firstCodes(symbols.names.count, (code) => symbolText(symbols.names, code));
  const resourceOf = firstCodes(symbols.resources.count, (code) =>
    serviceName(symbols.resources, code),
  );
  return writeCounts(frames, 'red', table, [
    keys.map(({ service }) => resourceOf.get(textOf(service))!),
    keys.map(({ operation }) => nameOf.get(textOf(operation))!),
    keys.map(({ kind, isError }) => redBits(kind, isError)),
  ]);
}

/** Counted spans of a block that has them. */
export function readSpanCounts(reader: BlockReader, ref: CountsRef): CountedSpans {
  const { footer } = reader;
  const names = reader.table(footer.names);
  const resources = reader.table(footer.resources);
  const {
    table,
    keys: [services, operations, bits],
  } = readCounts(reader, ref, 3);
  const serviceNames: (string | undefined)[] = [];
  return {
    // Services come after the operations.
    textOf: (number) =>
      number < names.count
        ? symbolText(names, number)
        : (serviceNames[number] ??= serviceName(resources, number - names.count)),
    keys: Array.from(services!, (service, i) =>
      redKey(names.count + service, operations![i]!, bits![i]!),
    ),
    table,
  };
}

/** Codes chunks one after the other: the columns of the keys, then the table. */
function writeCounts(
  frames: FrameWriter,
  what: string,
  { minutes, key, minute, start, bucket, count }: MinuteTable,
  keys: readonly (readonly number[])[],
): CountsRef {
  const series = key.length;
  const { lengths, first, steps } = bucketSteps(start, bucket);
  const lists = [
    ...keys.map((list) => Uint32Array.from(list)),
    minutes,
    key,
    minute,
    lengths,
    first,
    steps,
    Uint32Array.from(count),
  ];
  const chunk = frames.chunk(what, (sink) => {
    for (const list of lists) encodeCodes(sink, list, list.length);
  });
  return { keys: keys[0]!.length, minutes: minutes.length, series, cells: count.length, chunk };
}

/** Per series how many buckets it has, and the first of them; per cell how far its bucket is from the one before, as they ascend. */
function bucketSteps(
  start: Uint32Array,
  bucket: Uint32Array,
): { lengths: Uint32Array; first: Uint32Array; steps: Uint32Array } {
  const series = start.length - 1;
  const lengths = new Uint32Array(series);
  const first = new Uint32Array(series);
  const steps = new Uint32Array(bucket.length);
  for (let s = 0; s < series; s++) {
    const end = start[s + 1]!;
    lengths[s] = end - start[s]!;
    first[s] = bucket[start[s]!]!;
    for (let i = start[s]! + 1; i < end; i++) steps[i] = bucket[i]! - bucket[i - 1]!;
  }
  return { lengths, first, steps };
}

function readCounts(
  reader: BlockReader,
  ref: CountsRef,
  keyColumns: number,
): { keys: Uint32Array[]; table: MinuteTable } {
  let rest = reader.chunk(ref.chunk);
  const next = (length: number): Uint32Array => {
    const values = decodeCodes(rest, length);
    rest = rest.subarray(codesLength(rest, length));
    return values;
  };
  const keys = Array.from({ length: keyColumns }, () => next(ref.keys));
  const minutes = next(ref.minutes);
  const key = next(ref.series);
  const minute = next(ref.series);
  const lengths = next(ref.series);
  const first = next(ref.series);
  const bucket = next(ref.cells);
  const start = new Uint32Array(ref.series + 1);
  for (let s = 0; s < ref.series; s++) {
    start[s + 1] = start[s]! + lengths[s]!;
    bucket[start[s]!] = first[s]!;
    for (let i = start[s]! + 1; i < start[s + 1]!; i++) bucket[i] = bucket[i]! + bucket[i - 1]!;
  }
  const count = Int32Array.from(next(ref.cells));
  return { keys, table: { minutes, key, minute, start, bucket, count } };
}

function firstCodes(count: number, textOf: (code: number) => string): Map<string, number> {
  const codes = new Map<string, number>();
  for (let code = count - 1; code >= 0; code--) codes.set(textOf(code), code);
  return codes;
}

function serviceName(resources: SymbolTable, code: number): string {
  return decodeResource(symbolBytes(resources, code)).serviceName;
}
