// SPDX-License-Identifier: Apache-2.0
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import type { Span } from '@spoor/core/model/span.ts';
import type { SpanBatch } from '@spoor/core/model/span-batch.ts';
import type { SpanColumns, SymbolTable } from '@spoor/core/model/span-columns.ts';
import { attributes, event, link, resource, span } from '@spoor/core/query/testing/example-span.ts';
import { parseTraceId, type SpanId } from '@spoor/core/model/ids.ts';
import { OtlpProtoEncoder } from '@spoor/core/wire/otlp/encode.ts';
import { BLOCK_FORMAT_VERSION, type BlockFooter } from '../block/block-format.ts';
import { BlockReader } from '../block/block-reader.ts';
import { encodeTrailer, TRAILER_BYTES } from '../block/block-trailer.ts';
import { encodeBlock } from '../sealing/block-writer.ts';
import { decodeFooter, encodeFooter } from '../block/footer-codec.ts';
import { ByteCache } from '../block/frame-cache.ts';
import type { RowGroup } from '../block/row-group.ts';
import { seededWords } from './symbol-fixture.ts';

/** A cache as readers of blocks share it. */
export function blockCache(maxBytes = 1 << 20): ByteCache<Uint8Array | SymbolTable | RowGroup> {
  return new ByteCache(maxBytes);
}

/** The file of a block with all spans of these batches. */
export function blockFile(batches: readonly SpanBatch[]): Buffer {
  return Buffer.concat(encodeBlock(batches)!.parts);
}

/** A block as a newer version might have written it: the next format, with right checksums. */
export function newerBlock(block: Uint8Array): Buffer {
  const bytes = Buffer.from(block);
  const at = bytes.length - TRAILER_BYTES;
  bytes.writeUInt32LE(BLOCK_FORMAT_VERSION + 1, at);
  const footer = bytes.subarray(at - bytes.readUInt32LE(at + 4), at);
  bytes.writeUInt32LE(crc32(footer, crc32(bytes.subarray(at, at + 12))), at + 12);
  return bytes;
}

/** A block with what `change` makes of its footer. */
export function changeFooter(block: Buffer, change: (footer: BlockFooter) => BlockFooter): Buffer {
  const at = block.length - TRAILER_BYTES;
  const footerAt = at - block.readUInt32LE(at + 4);
  const bytes = zstdDecompressSync(block.subarray(footerAt, at));
  const raw = encodeFooter(change(decodeFooter(bytes, BLOCK_FORMAT_VERSION)));
  const stored = zstdCompressSync(raw);
  return Buffer.concat([block.subarray(0, footerAt), stored, encodeTrailer(stored, raw.length)]);
}

/** Writes a block of these batches into a directory and lets `use` read it. */
export function withBlock<Result>(
  dir: string,
  batches: readonly SpanBatch[],
  use: (reader: BlockReader) => Result,
  cache = blockCache(),
): Result {
  const path = join(dir, 'a.block');
  writeFileSync(path, blockFile(batches));
  const reader = new BlockReader(path, 1, cache);
  try {
    return use(reader);
  } finally {
    reader.close();
  }
}

/** Each row, encoded: equal spans are equal texts. */
export function rowTexts(columns: SpanColumns, start = 0, end = columns.rows): string[] {
  const encoder = new OtlpProtoEncoder(columns);
  return Array.from({ length: end - start }, (_, i) =>
    Buffer.from(encoder.encode(start + i, start + i + 1)).toString('latin1'),
  );
}

/** By which rows of a block stand: trace id, start and span id, as a text that orders as they do. */
export function rowKeys(columns: SpanColumns): string[] {
  return Array.from({ length: columns.rows }, (_, row) => {
    const start = (BigInt(columns.startHi[row]!) << 32n) | BigInt(columns.startLo[row]!);
    const traceId = Buffer.from(columns.traceId.subarray(row * 16, row * 16 + 16));
    const spanId = Buffer.from(columns.spanId.subarray(row * 8, row * 8 + 8));
    return `${traceId.toHex()} ${start.toString(16).padStart(16, '0')} ${spanId.toHex()}`;
  });
}

/** Spans like those of a shop, of `traces` traces that come mixed; the same ones for the same seed. */
export function shopSpans(count: number, traces: number, seed = 1): Span[] {
  const next = seededWords(seed);
  const hex = (digits: number): string =>
    Array.from({ length: digits / 8 }, () => next().toString(16).padStart(8, '0')).join('');
  const known = Array.from({ length: traces }, () => ({
    traceId: parseTraceId(hex(32)),
    start: 1_763_800_000_000_000_000n + BigInt(next()),
    spanIds: [] as SpanId[],
  }));
  return Array.from({ length: count }, (_, i) => {
    const trace = known[next() % traces]!;
    // 16 hex digits by their making.
    const spanId = hex(16) as SpanId;
    const parentSpanId = trace.spanIds[next() % (trace.spanIds.length + 1)] ?? '';
    trace.spanIds.push(spanId);
    const start = trace.start + BigInt(next() % 1_000_000_000);
    const isServer = next() % 2 === 0;
    return span({
      traceId: trace.traceId,
      spanId,
      parentSpanId,
      name: `${isServer ? 'GET' : 'select'} /${next() % 40}`,
      kind: isServer ? 2 : 3,
      startTimeUnixNano: start,
      endTimeUnixNano: start + BigInt(next() % 50_000_000),
      status: next() % 20 === 0 ? { code: 2, message: `error ${next() % 3}` } : undefined,
      resource: resource(`service ${next() % 7}`, { host: `host ${next() % 3}` }),
      attributes: attributes({
        user: `user ${(i >> 1) % 5500}`,
        ...(isServer
          ? { 'http.status_code': BigInt(200 + (next() % 5)), 'request.id': hex(16) }
          : { 'db.statement': `select ${next() % 100}`, row: BigInt(i), load: (next() % 8) / 4 }),
      }),
      events: next() % 10 === 0 ? [event('retry', { n: BigInt(next() % 4) }, start + 7n)] : [],
      links: next() % 50 === 0 ? [link({ traceId: hex(32), spanId: hex(16) })] : [],
    });
  });
}
