// SPDX-License-Identifier: Apache-2.0
import { readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { BlockReader } from '../../server/src/storage/columnar/block/block-reader.ts';
import { ByteCache } from '../../server/src/storage/columnar/block/frame-cache.ts';
import {
  RECORD_HEADER_BYTES,
  claimedLength,
  claimsSegment,
} from '../../server/src/storage/columnar/wal/wal-record.ts';
import {
  SEGMENT_HEADER_BYTES,
  decodeSegmentHeader,
  type SegmentHeader,
} from '../../server/src/storage/columnar/wal/wal-segment.ts';
import type { Random } from '../../server/src/cli/tracegen/random.ts';

/** What was done to a store. */
export interface Damage {
  readonly what: string;
  /** What the log must name when spans are missing. */
  readonly named: RegExp;
  /** Spans that may be lost by it. */
  readonly atRisk: number;
}

/** Kinds of damage. */
export const DAMAGES = ['cut log', 'flipped log byte', 'flipped block byte', 'cut block'] as const;

/** One kind of damage. */
export type DamageKind = (typeof DAMAGES)[number];

/**
 * Damages a store that no process has open.
 * @param headSpans spans that are in the log only
 */
export function damageStore(
  directory: string,
  kind: DamageKind,
  random: Random,
  headSpans: number,
): Damage {
  switch (kind) {
    case 'cut log': {
      const { path, endBytes } = lastSegment(directory);
      const length = random.between(SEGMENT_HEADER_BYTES, endBytes - 1);
      truncateSync(path, length);
      const what = `${basename(path)} cut from ${endBytes} used bytes to ${length}`;
      return { what, named: /write-ahead log/, atRisk: headSpans };
    }
    case 'flipped log byte': {
      const { path, endBytes, lastGroupAt } = lastSegment(directory);
      // A last group that cannot be read is what a crash leaves, and was never acknowledged then: the log is silent.
      const at = flipByte(path, random.between(SEGMENT_HEADER_BYTES, lastGroupAt - 1), random);
      const what = `${basename(path)} with another byte at ${at} of ${endBytes} used`;
      return { what, named: /write-ahead log/, atRisk: headSpans };
    }
    case 'flipped block byte': {
      const block = randomBlock(directory, random);
      // Behind the magic: every byte there is under a checksum.
      const at = flipByte(block.path, random.between(8, block.sizeBytes - 1), random);
      const what = `block ${basename(block.path)} with another byte at ${at} of ${block.sizeBytes}`;
      return { what, named: block.named, atRisk: block.spans };
    }
    case 'cut block': {
      const block = randomBlock(directory, random);
      const length = random.between(0, block.sizeBytes - 1);
      truncateSync(block.path, length);
      const what = `block ${basename(block.path)} cut from ${block.sizeBytes} bytes to ${length}`;
      return { what, named: block.named, atRisk: block.spans };
    }
  }
}

/** The segment with the newest records, and where what was written into it ends. */
function lastSegment(directory: string): { path: string } & SegmentUse {
  const wal = join(directory, 'wal');
  let newest: ({ path: string; sequence: number } & SegmentUse) | undefined;
  for (const name of readdirSync(wal).filter((name) => /^\d+\.wal$/.test(name))) {
    const path = join(wal, name);
    const bytes = readFileSync(path);
    const header = decodeSegmentHeader(bytes);
    if (header?.id !== Number.parseInt(name, 10)) continue;
    if (newest !== undefined && header.firstSequence < newest.sequence) continue;
    newest = { path, ...useOf(bytes, header), sequence: header.firstSequence };
  }
  if (newest === undefined) throw new Error(`${wal} has no segment with records`);
  return newest;
}

interface SegmentUse {
  /** End of the last record. What an earlier use of the file left may follow. */
  readonly endBytes: number;
  /** Start of the last commit group. */
  readonly lastGroupAt: number;
}

function useOf(bytes: Buffer, segment: SegmentHeader): SegmentUse {
  let at = SEGMENT_HEADER_BYTES;
  let lastGroupAt = at;
  while (at + RECORD_HEADER_BYTES <= bytes.length) {
    const header = new DataView(bytes.buffer, bytes.byteOffset + at, RECORD_HEADER_BYTES);
    const length = claimedLength(header, bytes.length - at);
    if (length === undefined || !claimsSegment(header, segment)) break;
    // The place of a record in its group.
    if (header.getUint32(20, true) === 0) lastGroupAt = at;
    at += length;
  }
  return { endBytes: at, lastGroupAt };
}

function randomBlock(
  directory: string,
  random: Random,
): { path: string; sizeBytes: number; spans: number; named: RegExp } {
  const blocks = join(directory, 'tenants', 'default');
  const name = random.pick(readdirSync(blocks).filter((entry) => entry.endsWith('.block')));
  const path = join(blocks, name);
  const id = Number.parseInt(name, 10);
  const reader = new BlockReader(path, id, new ByteCache(1 << 20));
  const spans = reader.footer.groups.reduce((sum, group) => sum + group.rows, 0);
  reader.close();
  return {
    path,
    sizeBytes: readFileSync(path).length,
    spans,
    named: new RegExp(`"block":${id}\\b|${name}`),
  };
}

function flipByte(path: string, at: number, random: Random): number {
  const bytes = readFileSync(path);
  bytes[at] = bytes[at]! ^ (1 << random.int(8));
  writeFileSync(path, bytes);
  return at;
}
