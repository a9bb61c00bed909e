// SPDX-License-Identifier: Apache-2.0
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Span } from '@spoor/core/model/span.ts';
import { batchOf } from '@spoor/core/query/testing/span-body.ts';
import { BlockReader } from '../block/block-reader.ts';
import { HeadBatch } from '../head/head-batch.ts';
import { HeadPart } from '../head/head-part.ts';
import type { OverlappedBlock } from '../live/block-overlap.ts';
import { encodeBlock } from '../sealing/block-writer.ts';
import { type OpenBlock, TraceSources } from '../search/trace-sources.ts';
import { blockCache } from './block-fixture.ts';

/** Where spans lie: each list is a batch of the head or the only content of a block. */
export interface SpanLayout {
  readonly head?: readonly (readonly Span[])[];
  readonly blocks?: readonly (readonly Span[])[];
  /** Blocks are as the first version of the format had them: without what is derived, and with copies in several of them. */
  readonly isVersion1?: boolean;
  /** Rows of a group, where that is not the usual number. */
  readonly groupRows?: number;
}

function overlapped(reader: BlockReader): OverlappedBlock {
  return {
    minStart: Number(reader.minStartUnixNano),
    maxStart: Number(reader.maxStartUnixNano),
    filter: reader.filter,
    reader: () => reader,
    setAside: (error) => {
      throw error;
    },
  };
}

/** Lets `use` look at sources that hold spans in this way. */
export function withSources<Result>(
  dir: string,
  { head = [], blocks = [], isVersion1 = false, groupRows }: SpanLayout,
  use: (sources: TraceSources) => Result,
): Result {
  const cache = blockCache();
  const readers: BlockReader[] = [];
  for (const [id, spans] of blocks.entries()) {
    const path = join(dir, `${id}.block`);
    // As sealing does: what an earlier block holds is left out.
    const earlier = { blocks: isVersion1 ? [] : readers.map(overlapped), isComplete: true };
    const block = encodeBlock([batchOf(spans)], earlier, groupRows);
    if (block === undefined) continue;
    writeFileSync(path, Buffer.concat(block.parts));
    const reader = new BlockReader(path, id, cache);
    if (isVersion1) {
      Object.assign(reader.footer, { version: 1, seenBefore: undefined, summaries: undefined });
    }
    readers.push(reader);
  }
  const open = readers.map((reader, id): OpenBlock => ({
    id,
    minStart: Number(reader.minStartUnixNano),
    maxStart: Number(reader.maxStartUnixNano),
    reader: () => reader,
  }));
  try {
    const batches = head.map((spans) => new HeadBatch(batchOf(spans)));
    const sources = new TraceSources([HeadPart.of(batches)], open, (_, error) => {
      throw error;
    });
    return use(sources);
  } finally {
    for (const reader of readers) reader.close();
  }
}
