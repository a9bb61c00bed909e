// SPDX-License-Identifier: Apache-2.0
import type { StoreFigures } from '#storage/tracestore.ts';
import type { BlockEntry } from './manifest/manifest-edit.ts';
import type { CompactionFigures } from './compaction/compaction-figures.ts';
import type { StoreWork } from './live/store-work.ts';
import type { WalFigures } from './wal/wal.ts';

/** What the figures of a columnar store are made of. */
export interface StoreState {
  readonly blocks: readonly BlockEntry[];
  readonly wal: WalFigures | undefined;
  readonly headSpans: number;
  readonly headBytes: number;
  readonly waitingWrites: number;
  readonly spansWritten: number;
  readonly work: StoreWork;
  readonly damagedBlocks: number;
  readonly damagedFiles: number;
  readonly freeBytes: number;
  readonly reserveBytes: number;
  readonly tenants: number;
  readonly sealedBytes: number;
  readonly compaction: CompactionFigures;
}

/** The figures of a columnar store, by metric name. */
export function storeFigures(state: StoreState): StoreFigures {
  const { blocks, wal, compaction } = state;
  const { cache } = state.work;
  const { figures: seals } = state.work.seals;
  const { figures: questions } = state.work.questions;
  const sum = (pick: (block: BlockEntry) => number): number =>
    blocks.reduce((total, block) => total + pick(block), 0);
  type Figure = { kind: 'gauge' | 'counter'; help: string; value: number };
  const gauge = (help: string, value: number): Figure => ({ kind: 'gauge', help, value });
  const counter = (help: string, value: number): Figure => ({ kind: 'counter', help, value });
  return new Map<string, Figure>([
    ['store_blocks', gauge('Blocks on disk.', blocks.length)],
    [
      'store_block_spans',
      gauge(
        'Spans in blocks.',
        sum(({ spans }) => spans),
      ),
    ],
    [
      'store_block_bytes',
      gauge(
        'Size of the blocks on disk.',
        sum(({ sizeBytes }) => sizeBytes),
      ),
    ],
    ['store_damaged_blocks', gauge('Blocks left out of all answers.', state.damagedBlocks)],
    ['store_damaged_files', gauge('Files found damaged, with these blocks.', state.damagedFiles)],
    ['store_disk_free_bytes', gauge('Free on the disk of the data directory.', state.freeBytes)],
    ['store_disk_reserve_bytes', gauge('Kept free: below it none are taken.', state.reserveBytes)],
    ['store_head_spans', gauge('Spans that are in no block yet.', state.headSpans)],
    ['store_head_bytes', gauge('Memory of these spans.', state.headBytes)],
    ['store_waiting_writes', gauge('Batches that wait for room.', state.waitingWrites)],
    ['store_tenants', gauge('Tenants with spans.', state.tenants)],
    ['store_spans_written_total', counter('Spans made durable.', state.spansWritten)],
    ['store_seals_total', counter('Slabs sealed into blocks.', seals.done)],
    ['store_seal_failures_total', counter('Seals that failed; each is tried again.', seals.failed)],
    ['store_seal_seconds_total', counter('Time in which slabs were sealed.', seals.seconds)],
    ['store_questions_total', counter('Questions that were answered.', questions.done)],
    [
      'store_question_failures_total',
      counter('Questions that were cancelled or failed.', questions.failed),
    ],
    [
      'store_question_seconds_total',
      counter('Time of all questions, with their waiting for a turn.', questions.seconds),
    ],
    ['store_cache_bytes', gauge('Decoded parts of blocks that are kept.', cache.bytes)],
    ['store_cache_hits_total', counter('Parts of blocks that were found there.', cache.hits)],
    ['store_cache_misses_total', counter('Parts of blocks that were not.', cache.misses)],
    [
      'store_write_amplification',
      gauge(
        'Bytes of blocks written for each byte that was sealed, since the start.',
        writeAmplification(state),
      ),
    ],
    [
      'store_expired_blocks_total',
      counter('Blocks removed by retention.', compaction.expiredBlocks),
    ],
    ['store_deleted_spans_total', counter('Spans deleted on request.', compaction.deletedSpans)],
    ['store_sealed_bytes_total', counter('Size of blocks as sealed.', state.sealedBytes)],
    ['store_merges_total', counter('Merges of blocks.', compaction.merges)],
    ['store_merged_spans_total', counter('Spans written by merges.', compaction.mergedSpans)],
    ['store_merged_bytes_total', counter('Bytes written by merges.', compaction.mergedBytes)],
    [
      'store_rewritten_bytes_total',
      counter('Bytes written to leave spans out.', compaction.rewrittenBytes),
    ],
    [
      'store_compactions_postponed_total',
      counter('Merges and rewrites put off for want of space.', compaction.postponed),
    ],
    [
      'store_compaction_failures_total',
      counter(
        'Merges and rewrites that failed; each is tried again, later each time.',
        compaction.failures,
      ),
    ],
    [
      'store_unmergeable_blocks',
      gauge('Blocks with so many names or keys that they are not merged.', compaction.tooWide),
    ],
    ['store_expired_spans_total', counter('Spans removed by retention.', compaction.expiredSpans)],
    ['store_wal_segments', gauge('Segments of the write-ahead log in use.', wal?.segments ?? 0)],
    ['store_wal_bytes', gauge('Size of these segments.', wal?.sizeBytes ?? 0)],
    ['store_wal_queued_bytes', gauge('Waiting for the disk.', wal?.queuedBytes ?? 0)],
    ['store_wal_commits_total', counter('Group commits.', wal?.groups ?? 0)],
    [
      'store_wal_commit_seconds_total',
      counter('Time of all group commits: write and sync.', wal?.commitSeconds ?? 0),
    ],
    ['store_wal_records_total', counter('Batches committed.', wal?.records ?? 0)],
    ['store_wal_written_bytes_total', counter('Bytes committed.', wal?.writtenBytes ?? 0)],
  ]);
}

function writeAmplification({ sealedBytes, compaction }: StoreState): number {
  const { mergedBytes, rewrittenBytes } = compaction;
  // What was sealed before the start may have been merged since.
  return sealedBytes === 0 ? 1 : (sealedBytes + mergedBytes + rewrittenBytes) / sealedBytes;
}
