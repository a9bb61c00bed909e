// SPDX-License-Identifier: Apache-2.0
import { SpanBatch } from '@spoor/core/model/span-batch.ts';
import type { StoredRequest } from '#storage/tracestore.ts';
import type { DamageReport } from '../directory/damage-report.ts';
import type { DataDirectory } from '../directory/data-directory.ts';
import type { Head } from '../head/head.ts';
import type { TenantNumbers } from '../head/tenant-numbers.ts';
import { Wal, type WalOptions } from '../wal/wal.ts';
import { replayWal } from '../wal/wal-replay.ts';

/** What a log is read back from, and into. */
export interface LogStartParts extends Pick<
  WalOptions,
  'files' | 'later' | 'claimRoom' | 'segmentBytes'
> {
  readonly directory: Pick<DataDirectory, 'compareLog' | 'manifest' | 'walDir'>;
  readonly damage: Pick<DamageReport, 'add' | 'warn'>;
  readonly head: Pick<Head, 'place' | 'settled'>;
  readonly tenants: Pick<TenantNumbers, 'known'>;
  /** Requests that were written before it are no use any more (Unix ms). */
  readonly recentUnixMs: number;
  readonly nowMs: () => number;
  /** Time since some moment, which nobody can set. */
  readonly passedMs: () => number;
}

/**
 * Reads the log of a directory back into the head, and opens it for what comes.
 * @returns the log, and the requests that it knows
 */
export async function startLog({
  directory,
  damage,
  head,
  tenants,
  recentUnixMs,
  nowMs,
  passedMs,
  ...options
}: LogStartParts): Promise<{ wal: Wal; requests: StoredRequest[] }> {
  const { manifest, walDir } = directory;
  const { walUpto: sealedUpto, logEnd } = manifest;
  const requests: StoredRequest[] = [];
  const replay = await replayWal({
    files: options.files,
    dir: walDir,
    sealedUpto,
    logEnd,
    onDamage: ({ message, path }) => damage.add(path, message),
    onTornEnd: ({ message, path }) => damage.warn(path, message),
    onRecord: async ({ batch, sequence, tenant, writtenUnixMs, requests: known }) => {
      if (writtenUnixMs >= recentUnixMs && sequence > manifest.forgottenUpto) {
        for (const request of known) requests.push({ ...request, tenant, writtenUnixMs });
      }
      if (batch === undefined || sequence <= manifest.sealedUpto(tenant)) return;
      await head.place(new SpanBatch(batch), tenants.known(tenant), async (room) => {
        // It does not become younger with each start.
        const ageMs = Math.max(0, nowMs() - writtenUnixMs);
        room.slab.commit(room, sequence, passedMs() - ageMs);
        head.settled(room.slab);
      });
    },
  });
  await directory.compareLog(replay);
  const wal = await Wal.open({
    ...options,
    dir: walDir,
    replay,
    // While it is read back a slab may become full, and be sealed.
    sealedUpto: manifest.walUpto,
    logEnd,
    noteSegments: (change) => manifest.commit(change),
  });
  return { wal, requests };
}
