// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { crc32 } from 'node:zlib';
import { SpoorError } from '@spoor/core/model/errors.ts';
import { DEFAULT_TENANT, parseTenant } from '@spoor/core/model/ids.ts';
import type { BlockEntry } from './manifest-edit.ts';
import { encodeManifestRecord } from './manifest-log.ts';
import { MANIFEST_FILE, Manifest } from './manifest.ts';
import { DISK_FILES } from '../directory/disk-files.ts';
import type { StoreFiles } from '../files/store-files.ts';
import { FAULTS, FaultyFiles } from '../testing/faulty-files.ts';

const DIR = '/data';
const PATH = join(DIR, MANIFEST_FILE);
const TENANTS = [DEFAULT_TENANT, parseTenant('shop')];

function blockOf(id: number): BlockEntry {
  return {
    tenant: TENANTS[id % 2]!,
    id,
    level: id % 3,
    spans: 1000 + id,
    traces: 10 + id,
    sizeBytes: 4096 * id,
    minStartUnixNano: 1_700_000_000_000_000_001n + BigInt(id),
    maxStartUnixNano: 2n ** 64n - 1n,
    createdUnixMs: 1_700_000_000_000 + id,
    firstSequence: id * 10,
    lastSequence: id * 10 + 9,
  };
}

/** All that a manifest says. */
function stateOf(manifest: Manifest): unknown {
  return {
    blocks: TENANTS.flatMap((tenant) => manifest.blocks(tenant)),
    setAside: [...manifest.setAside].sort(([a], [b]) => a - b),
    forgottenUpto: manifest.forgottenUpto,
    upto: [manifest.walUpto, ...TENANTS.map((tenant) => manifest.sealedUpto(tenant))],
  };
}

function open(files: StoreFiles, compactFromBytes?: number): Promise<Manifest> {
  return Manifest.open({
    files,
    dir: DIR,
    ...(compactFromBytes === undefined ? {} : { compactFromBytes }),
  });
}

/** Commits step `n` of a fixed history: a seal of two tenants, or a merge. */
function commitStep(manifest: Manifest, n: number): Promise<void> {
  const id = 2 * n + 1;
  const merged = n % 3 === 2 ? [blockOf(id - 4), blockOf(id - 3)] : [];
  return manifest.commit({
    addBlocks: [blockOf(id), blockOf(id + 1)],
    removeBlocks: merged,
    setAside: n % 4 === 0 ? [{ ...blockOf(id), reason: `reason "${n}"` }] : [],
    walUpto: n,
    tenantUpto: [{ tenant: TENANTS[n % 2]!, sequence: n + 2 }],
    ...(n % 5 === 0 ? { forgottenUpto: n + 1 } : {}),
  });
}

/** States after each number of steps of the history, and the file after all. */
async function historyOf(
  steps: number,
): Promise<{ states: unknown[]; ends: number[]; bytes: Uint8Array }> {
  const files = new FaultyFiles();
  const manifest = await open(files);
  const states = [stateOf(manifest)];
  const ends = [files.content(PATH).length];
  for (let n = 0; n < steps; n++) {
    await commitStep(manifest, n);
    states.push(stateOf(manifest));
    ends.push(files.content(PATH).length);
  }
  await manifest.close();
  return { states, ends, bytes: files.content(PATH) };
}

test('a manifest on disk says after reopening what was committed', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'spoor-manifest-'));
  try {
    const first = await Manifest.open({ files: DISK_FILES, dir });
    assert.equal(first.isNew, true);
    for (let n = 0; n < 6; n++) await commitStep(first, n);
    await first.close();
    const second = await Manifest.open({ files: DISK_FILES, dir });
    assert.equal(second.isNew, false);
    assert.equal(second.cutBytes, 0);
    assert.deepEqual(stateOf(second), stateOf(first));
    assert.deepEqual(stateOf(second), (await historyOf(6)).states[6]);
    assert.deepEqual(second.tenants().sort(), [...TENANTS].sort());
    assert.equal(second.takeBlockId(), 13);
    await second.close();
  } finally {
    await rm(dir, { recursive: true });
  }
});

test('what a manifest is to say beside what was read it says from its beginning on, whatever it is', async () => {
  const [first, second] = [blockOf(1), blockOf(3)];
  for (const more of [
    { addBlocks: [], removeBlocks: [first], setAside: [] },
    { walUpto: 19 },
    { setAside: [{ tenant: first.tenant, id: first.id, reason: 'a bit' }] },
    { addBlocks: [second] },
  ]) {
    const files = new FaultyFiles();
    const before = await open(files);
    await before.commit({ addBlocks: [first] });
    const expected = await Manifest.open({ files: files.copy(), dir: DIR });
    await expected.commit(more);
    await before.close();
    const manifest = await Manifest.read({ files, dir: DIR });
    await manifest.begin(more);
    assert.deepEqual(stateOf(manifest), stateOf(expected));
    const after = await open(files.powerLoss({ keep: 'nothing' }));
    assert.deepEqual(stateOf(after), stateOf(expected));
  }
});

test('a tenant is sealed as far as its own edit or that of the whole log says', async () => {
  const manifest = await open(new FaultyFiles());
  const [one, other] = [TENANTS[0]!, TENANTS[1]!];
  await manifest.commit({ walUpto: 5, tenantUpto: [{ tenant: one, sequence: 9 }] });
  assert.deepEqual([manifest.sealedUpto(one), manifest.sealedUpto(other)], [9, 5]);
  await manifest.commit({ walUpto: 12 });
  assert.deepEqual([manifest.sealedUpto(one), manifest.sealedUpto(other)], [12, 12]);
  await manifest.close();
});

test('a commit is one write and one sync, and shows only when both are done', async () => {
  const files = new FaultyFiles();
  const manifest = await open(files);
  const before = files.log.length;
  const done = commitStep(manifest, 0);
  assert.deepEqual(manifest.blocks(DEFAULT_TENANT), []);
  await done;
  const calls = files.log.slice(before).map((call) => call.split(' ')[0]);
  assert.deepEqual(calls, ['writev', 'fdatasync']);
  assert.equal(manifest.blocks(DEFAULT_TENANT).length, 1);
  await manifest.close();
});

test('a manifest cut at any byte is as before the torn edit, and goes on from there', async () => {
  const { states, ends, bytes } = await historyOf(4);
  for (let cut = ends[2]!; cut <= bytes.length; cut++) {
    const files = new FaultyFiles();
    files.put(PATH, bytes.slice(0, cut));
    const manifest = await open(files);
    const steps = ends.filter((end) => end <= cut).length - 1;
    assert.deepEqual(stateOf(manifest), states[steps]);
    assert.deepEqual(manifest.damage, []);
    assert.equal(manifest.cutBytes, cut - ends[steps]!);
    // Shorter than what was torn.
    await manifest.commit({ walUpto: 100 });
    await manifest.close();
    const again = await open(files);
    assert.deepEqual(stateOf(again), stateOf(manifest));
    assert.equal(again.walUpto, 100);
    assert.equal(again.cutBytes, 0);
    await again.close();
  }
});

test('a flipped byte anywhere costs one edit at most, is told, and the damaged file is kept', async () => {
  const { ends, bytes } = await historyOf(4);
  for (let at = 0; at < ends[3]!; at += 3) {
    const damaged = bytes.slice();
    damaged[at]! ^= 1 << (at % 8);
    const files = new FaultyFiles();
    files.put(PATH, damaged);
    const manifest = await open(files);
    assert.ok(manifest.damage.length > 0, `byte ${at}`);
    assert.deepEqual(files.content(`${PATH}.damaged`), damaged);
    assert.ok(manifest.blocks(TENANTS[0]!).some(({ id }) => id === 8));
    const state = stateOf(manifest);
    await manifest.close();
    const again = await open(files);
    assert.deepEqual(again.damage, []);
    assert.deepEqual(stateOf(again), state);
    await again.close();
  }
});

test('an empty manifest file is damage, not an empty store', async () => {
  const files = new FaultyFiles();
  files.put(PATH, new Uint8Array(0));
  const manifest = await open(files);
  assert.equal(manifest.isNew, false);
  assert.equal(manifest.damage.length, 1);
  await manifest.close();
});

test('a newer format and a newer kind of edit are refused and nothing is touched', async () => {
  const { bytes } = await historyOf(2);
  const newerFormat = bytes.slice();
  const view = new DataView(newerFormat.buffer);
  view.setUint32(8, 2, true);
  view.setUint32(12, crc32(newerFormat.subarray(0, 12)), true);
  const edit = encodeManifestRecord('[{"type":"tombstone","tenant":"default"}]', 3);
  const newerEdit = new Uint8Array(bytes.length + edit.length + 5);
  newerEdit.set(bytes);
  newerEdit.set(edit, bytes.length);
  for (const [content, message] of [
    [newerFormat, /format 2 is newer than this version reads \(1\)/],
    [newerEdit, /a change of type "tombstone" is newer than this version reads/],
  ] as const) {
    const files = new FaultyFiles();
    files.put(PATH, content);
    await assert.rejects(
      open(files),
      (error) =>
        error instanceof SpoorError && error.code === 'corrupt' && message.test(error.message),
    );
    assert.deepEqual(files.content(PATH), content);
    assert.deepEqual(files.paths(), [PATH]);
  }
});

test('a growing manifest is written anew now and then, and says the same', async () => {
  const files = new FaultyFiles();
  const manifest = await open(files, 2000);
  for (let n = 0; n < 40; n++) {
    await commitStep(manifest, n);
    if (n % 3 === 1) await manifest.commit({ removeBlocks: [blockOf(2 * n + 2)] });
  }
  await manifest.close();
  assert.ok(files.log.filter((call) => call === `rename ${MANIFEST_FILE}`).length > 2);
  const again = await open(files, 2000);
  assert.deepEqual(stateOf(again), stateOf(manifest));
  assert.deepEqual(again.takeBlockId(), manifest.takeBlockId());
  assert.deepEqual(files.paths(), [PATH]);
  await again.close();
});

test('many blocks survive being written anew', async () => {
  const files = new FaultyFiles();
  const manifest = await open(files, 1000);
  const addBlocks = Array.from({ length: 2500 }, (_, i) => blockOf(i + 1));
  await manifest.commit({ addBlocks });
  await manifest.commit({ removeBlocks: [blockOf(2500)] });
  // Written anew twice; the highest id must not be given again.
  for (let i = 0; i < 12; i++) {
    await manifest.commit({ removeBlocks: addBlocks.slice(0, 1200) });
    await manifest.commit({ addBlocks: addBlocks.slice(0, 1200) });
  }
  await manifest.close();
  assert.ok(files.log.filter((call) => call === `rename ${MANIFEST_FILE}`).length > 2);
  const again = await open(files);
  assert.deepEqual(stateOf(again), stateOf(manifest));
  assert.equal(again.takeBlockId(), 2501);
  await again.close();
});

test('whatever file call fails, what was committed is there after a power loss, and half an edit never', async () => {
  const steps = 8;
  /** Runs the history as far as it goes; returns the number of steps committed. */
  const run = async (files: FaultyFiles): Promise<number> => {
    let manifest = await open(files, 1500);
    let done = 0;
    try {
      for (; done < steps; done++) {
        if (done === 5) {
          await manifest.close();
          manifest = await open(files, 1500);
        }
        await commitStep(manifest, done);
      }
    } catch (error) {
      assert.ok(error instanceof SpoorError && error.code === 'unavailable', String(error));
    }
    await manifest.close();
    return done;
  };
  const { states } = await historyOf(steps);
  const clean = new FaultyFiles();
  assert.equal(await run(clean), steps);
  assert.ok(clean.log.filter((call) => call === `rename ${MANIFEST_FILE}`).length > 1);
  const texts = states.map(textOf);
  for (const kind of FAULTS) {
    for (let call = 1; call <= clean.calls; call++) {
      for (const keep of ['nothing', 'all'] as const) {
        const files = new FaultyFiles();
        files.failAt(call, kind);
        const message = `${kind} at ${call}, ${keep} kept: ${clean.log[call - 1]}`;
        const done = await run(files).catch((error: unknown) => {
          assert.ok(error instanceof SpoorError, message);
          return 0;
        });
        if (kind === 'short') assert.equal(done, steps);
        // A new process builds on what it reads, so that must survive a power loss from then on.
        files.heal();
        const next = await open(files);
        await next.close();
        const after = await open(files.powerLoss({ keep }));
        assert.deepEqual(stateOf(after), stateOf(next), message);
        const found = texts.indexOf(textOf(stateOf(after)));
        assert.ok(found === done || found === done + 1, `${message}: ${found} of ${done}`);
        assert.deepEqual(after.damage, [], message);
        await after.close();
      }
    }
  }
});

test('an edit refused for want of space leaves no trace and the next one goes well', async () => {
  const files = new FaultyFiles();
  const manifest = await open(files);
  await commitStep(manifest, 0);
  files.capacityBytes = files.content(PATH).length + 10;
  const before = files.content(PATH);
  await assert.rejects(commitStep(manifest, 1), /an edit cannot be written: ENOSPC/);
  assert.equal(manifest.failed, undefined);
  assert.deepEqual(files.content(PATH), before);
  files.capacityBytes = Infinity;
  await commitStep(manifest, 1);
  await manifest.close();
  const again = await open(files);
  assert.deepEqual(stateOf(again), (await historyOf(2)).states[2]);
  await again.close();
});

test('a failed sync refuses every later edit', async () => {
  const files = new FaultyFiles();
  const manifest = await open(files);
  files.failAt(files.calls + 2, 'EIO');
  await assert.rejects(commitStep(manifest, 0), /a sync failed/);
  const { calls } = files;
  await assert.rejects(commitStep(manifest, 0), /a sync failed/);
  assert.equal(files.calls, calls);
  assert.match(manifest.failed!, /EIO/);
  await manifest.close();
});

test('a block gets another date and is otherwise as it was, set aside too', async () => {
  const files = new FaultyFiles();
  const manifest = await open(files);
  const undated = { ...blockOf(2), isUndated: true };
  await manifest.commit({
    addBlocks: [undated, blockOf(4)],
    setAside: [{ ...undated, reason: 'cut' }],
  });
  const dated = { ...blockOf(2), createdUnixMs: 5 };
  const missing = manifest.commit({ redateBlocks: [dated, blockOf(6)] });
  await assert.rejects(missing, /block 6 of default gets a date but is not there/);
  assert.deepEqual(manifest.blocks(DEFAULT_TENANT), [undated, blockOf(4)]);
  await manifest.close();
  const again = await open(files);
  assert.deepEqual(again.blocks(DEFAULT_TENANT), [undated, blockOf(4)]);
  await again.commit({ redateBlocks: [dated] });
  await again.close();
  const last = await open(files);
  assert.deepEqual(last.blocks(DEFAULT_TENANT), [dated, blockOf(4)]);
  assert.equal(last.setAside.get(2), 'cut');
  await last.close();
});

test('edits that contradict the manifest are refused whole', async () => {
  const manifest = await open(new FaultyFiles());
  await commitStep(manifest, 0);
  const before = stateOf(manifest);
  for (const edit of [
    { addBlocks: [blockOf(9), blockOf(1)] },
    { removeBlocks: [blockOf(9)] },
    { addBlocks: [blockOf(9)], walUpto: -1 },
  ]) {
    await assert.rejects(
      manifest.commit(edit),
      (error) => error instanceof SpoorError && error.code === 'internal',
    );
  }
  assert.deepEqual(stateOf(manifest), before);
  await manifest.close();
  await assert.rejects(commitStep(manifest, 1), /it is closed/);
});

/** A state as text, to look it up in a list. */
function textOf(state: unknown): string {
  return JSON.stringify(state, (_, value: unknown) =>
    typeof value === 'bigint' ? String(value) : value,
  );
}
