// SPDX-License-Identifier: Apache-2.0
import { SpoorError } from '@spoor/core/model/errors.ts';
import { SpanBatch } from '@spoor/core/model/span-batch.ts';
import type { StoppedStore } from './stopped-store.ts';

/** Blocks of one level of a tenant. */
interface LevelStats {
  /** 0 as sealed, 1 and 2 after merging. */
  readonly level: number;
  readonly blocks: number;
  readonly spans: number;
  readonly sizeBytes: number;
}

/** What a tenant has. */
interface TenantStats {
  readonly tenant: string;
  readonly blocks: number;
  readonly spans: number;
  /** Traces, counted once for each block that has spans of them. */
  readonly tracesInBlocks: number;
  readonly sizeBytes: number;
  readonly levels: readonly LevelStats[];
  /** Of the spans in blocks, Unix epoch ns; undefined without blocks. */
  readonly minStartUnixNano: bigint | undefined;
  readonly maxStartUnixNano: bigint | undefined;
  /** When the oldest and the newest block was written. */
  readonly oldestBlockUnixMs: number | undefined;
  readonly newestBlockUnixMs: number | undefined;
  /** Spans that are in the log only. */
  readonly logSpans: number;
}

/** What a store consists of. */
export interface StoreStats {
  readonly tenants: readonly TenantStats[];
  /** Bytes in blocks by what they hold, most first; `footers` is the rest of the files. */
  readonly columns: readonly { readonly name: string; readonly sizeBytes: number }[];
  readonly log: { readonly segments: number; readonly sizeBytes: number };
  /** Blocks whose breakdown cannot be read: see `spoor store verify`. */
  readonly unreadable: readonly string[];
}

/** Adds a store up; of the blocks only the ends are read. */
export async function storeStats(store: StoppedStore): Promise<StoreStats> {
  const logSpans = new Map<string, number>();
  const log = await store.readLog(
    ({ tenant, batch }, isUnsealed) => {
      if (!isUnsealed || batch === undefined) return;
      logSpans.set(tenant, (logSpans.get(tenant) ?? 0) + new SpanBatch(batch).rows);
    },
    { onDamage: () => {} },
  );
  const byTenant = Map.groupBy(store.blocks, ({ tenant }) => String(tenant));
  const names = [...new Set([...byTenant.keys(), ...logSpans.keys()])].sort();
  const { columns, unreadable } = columnBytes(store);
  return {
    tenants: names.map((tenant) => {
      const blocks = byTenant.get(tenant) ?? [];
      const starts = blocks.map((block) => block.minStartUnixNano);
      const ends = blocks.map((block) => block.maxStartUnixNano);
      const written = blocks.map((block) => block.createdUnixMs);
      const isEmpty = blocks.length === 0;
      const levels = Map.groupBy(blocks, ({ level }) => level);
      return {
        tenant,
        blocks: blocks.length,
        spans: sum(blocks, ({ spans }) => spans),
        tracesInBlocks: sum(blocks, ({ traces }) => traces),
        sizeBytes: sum(blocks, ({ sizeBytes }) => sizeBytes),
        levels: [...levels]
          .map(([level, some]) => ({
            level,
            blocks: some.length,
            spans: sum(some, ({ spans }) => spans),
            sizeBytes: sum(some, ({ sizeBytes }) => sizeBytes),
          }))
          .sort((a, b) => a.level - b.level),
        minStartUnixNano: isEmpty ? undefined : starts.reduce((a, b) => (a < b ? a : b)),
        maxStartUnixNano: isEmpty ? undefined : ends.reduce((a, b) => (a > b ? a : b)),
        oldestBlockUnixMs: isEmpty ? undefined : Math.min(...written),
        newestBlockUnixMs: isEmpty ? undefined : Math.max(...written),
        logSpans: logSpans.get(tenant) ?? 0,
      };
    }),
    columns,
    log: {
      segments: log.segments.length + log.unused.length,
      sizeBytes: sum([...log.segments, ...log.unused], ({ sizeBytes }) => sizeBytes),
    },
    unreadable,
  };
}

function columnBytes(store: StoppedStore): Pick<StoreStats, 'columns' | 'unreadable'> {
  const bytes = new Map<string, number>();
  const unreadable: string[] = [];
  const add = (name: string, more: number): void => {
    bytes.set(name, (bytes.get(name) ?? 0) + more);
  };
  for (const block of store.blocks) {
    try {
      store.withBlock(block, ({ footer }) => {
        let known = 0;
        for (const [name, size] of Object.entries(footer.bytesBy)) {
          add(name, size);
          known += size;
        }
        add('footers', block.sizeBytes - known);
      });
    } catch (error) {
      if (!(error instanceof SpoorError)) throw error;
      unreadable.push(error.message);
    }
  }
  return {
    columns: [...bytes]
      .map(([name, size]) => ({ name, sizeBytes: Math.round(size) }))
      .sort((a, b) => b.sizeBytes - a.sizeBytes),
    unreadable,
  };
}

function sum<Item>(items: readonly Item[], pick: (item: Item) => number): number {
  return items.reduce((total, item) => total + pick(item), 0);
}
