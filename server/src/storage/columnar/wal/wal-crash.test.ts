// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import test from 'node:test';
import { FAULTS, FaultyFiles } from '../testing/faulty-files.ts';
import {
  DIR,
  SEGMENT_BYTES,
  assertRecords,
  openWal,
  recordOf,
  replayAll,
  upTo,
} from '../testing/wal-fixture.ts';
import type { WalRecordInput } from './wal-record.ts';
import { Wal } from './wal.ts';

test('whatever file call fails, what was acknowledged is replayed once, in order, unchanged', async () => {
  /** Now and then a record has a segment of its own. */
  const make = (n: number): WalRecordInput =>
    n % 10 === 6 ? recordOf(n, 2 * SEGMENT_BYTES) : recordOf(n);
  /** Runs a fixed history; returns the records acknowledged, as the number that made them. */
  const run = async (
    files: FaultyFiles,
    acknowledged: Map<number, number>,
    sealed: number[],
  ): Promise<number> => {
    let refused = 0;
    let made = 0;
    for (let round = 0; round < 2; round++) {
      let wal: Wal;
      try {
        ({ wal } = await openWal(files, DIR, sealed.at(-1) ?? 0));
      } catch {
        refused++;
        continue;
      }
      for (let step = 0; step < 4; step++) {
        const appends = [0, 1, 2].map(async () => {
          const n = (made += 2);
          const { firstSequence } = await wal.append([make(n), make(n + 1)]);
          acknowledged.set(firstSequence, n).set(firstSequence + 1, n + 1);
        });
        for (const result of await Promise.allSettled(appends)) {
          if (result.status === 'rejected') refused++;
        }
        if (step === 2 && acknowledged.size > 4) {
          sealed.push([...acknowledged.keys()].at(-4)!);
          wal.release(sealed.at(-1)!);
        }
      }
      await wal.close();
    }
    return refused;
  };
  const clean = new FaultyFiles();
  assert.equal(await run(clean, new Map(), []), 0);
  for (const kind of FAULTS) {
    for (let call = 1; call <= clean.calls; call++) {
      const called = clean.log[call - 1]!;
      if (kind === 'short' && !called.startsWith('writev')) continue;
      const files = new FaultyFiles();
      files.failAt(call, kind);
      const acknowledged = new Map<number, number>();
      const sealed: number[] = [];
      const refused = await run(files, acknowledged, sealed);
      if (kind === 'short') assert.equal(refused, 0);
      files.heal();
      for (const keep of ['nothing', 'all'] as const) {
        const sealedUpto = sealed.at(-1) ?? 0;
        const opened = await replayAll(files.powerLoss({ keep }), DIR, sealedUpto);
        const sequences = opened.records.map(({ sequence }) => sequence);
        const message = `${kind} at ${call}, ${keep} kept: ${called}`;
        assert.deepEqual(
          sequences,
          [...new Set(sequences)].sort((a, b) => a - b),
          message,
        );
        for (const [sequence, made] of acknowledged) {
          if (sequence <= sealedUpto) continue;
          const record = opened.records.find((r) => r.sequence === sequence);
          assert.deepEqual(record, { sequence, ...make(made) }, message);
        }
        assert.deepEqual(
          opened.damage.filter((d) => d.lost !== undefined),
          [],
          message,
        );
      }
    }
  }
});

test('power lost at any call with any mix of sectors written loses and invents nothing', async () => {
  const random = lcg(7);
  const clean = new FaultyFiles();
  const history = async (files: FaultyFiles, acknowledged: number[]): Promise<void> => {
    const { wal } = await openWal(files);
    let sealed = 0;
    for (let n = 1; n <= 24; n += 2) {
      await Promise.all(
        [n, n + 1].map(async (i) => {
          await wal.append([recordOf(i)]);
          acknowledged.push(i);
        }),
      );
      if (n === 13) wal.release((sealed = 6));
    }
    assert.equal(sealed, 6);
    await wal.close();
  };
  await history(clean, []);
  for (let call = 1; call <= clean.calls; call++) {
    for (let round = 0; round < 3; round++) {
      const files = new FaultyFiles();
      files.failAt(call, 'EIO', true);
      const acknowledged: number[] = [];
      await history(files, acknowledged).catch(() => undefined);
      // What was replayed once must be there for good, so a power loss follows the first one, or the kill.
      const killedOnly = round === 2;
      if (killedOnly) files.heal();
      let after = killedOnly ? files : files.powerLoss({ chance: random });
      const first = await openWal(after, DIR, 6);
      const unsealed = first.records.filter(({ sequence }) => sequence > 6);
      const last = unsealed.at(-1)?.sequence ?? 6;
      assert.ok(last >= (acknowledged.at(-1) ?? 0), `call ${call}`);
      assertRecords(
        unsealed,
        upTo(last).filter((n) => n > 6),
      );
      const next = first.wal.lastSequence + 1;
      await first.wal.append([recordOf(next)]);
      after = after.powerLoss(killedOnly ? { keep: 'nothing' } : { chance: random });
      const second = await replayAll(after, DIR, 6);
      assertRecords(
        second.records.filter(({ sequence }) => sequence > 6),
        upTo(next).filter((n) => n > 6),
      );
      assert.deepEqual(
        [...first.damage, ...second.damage].filter((d) => d.lost),
        [],
      );
    }
  }
});

/** Numbers in [0, 1), the same for the same seed. */
function lcg(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
