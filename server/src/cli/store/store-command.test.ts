// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { crc32 } from 'node:zlib';
import { span } from '@spoor/core/query/testing/example-span.ts';
import { runCli } from '#cli/cli.ts';
import { OverlapsFile } from '#storage/columnar/derived/overlaps-file.ts';
import { DataLock } from '#storage/columnar/directory/data-lock.ts';
import { DISK_WORKER_FILES } from '#storage/columnar/files/worker-files.ts';
import { writeFormatSample } from '#storage/columnar/testing/format-sample.ts';
import { withStore } from '#storage/columnar/testing/store-fixture.ts';
import { withDirectory } from '#storage/columnar/testing/temporary-directory.ts';
import { writeSpans } from '#storage/testing/store-harness.ts';

async function run(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  let out = '';
  let err = '';
  const code = await runCli(['store', ...args], {
    env: {},
    out: (text) => (out += text),
    err: (text) => (err += text),
  });
  return { code, out, err };
}

/** A small store: three blocks, and eight spans in the log. */
async function withSample(use: (data: string) => Promise<void>): Promise<void> {
  await withDirectory(async (dir) => {
    await writeFormatSample(dir);
    await use(join(dir, 'data'));
  });
}

async function withCopy(data: string, use: (copy: string) => Promise<void>): Promise<void> {
  await withDirectory(async (dir) => {
    cpSync(data, join(dir, 'data'), { recursive: true });
    await use(join(dir, 'data'));
  });
}

/** Everything in a directory: paths, sizes and times of change. */
function snapshot(dir: string): string[] {
  return readdirSync(dir, { recursive: true, encoding: 'utf8' })
    .filter((path) => !path.endsWith('LOCK') && path !== 'LOCK')
    .map((path) => join(dir, path))
    .filter((path) => statSync(path).isFile())
    .map((path) => `${path} ${readFileSync(path).toString('base64')}`);
}

/** A block as a later version would write it: the trailer says its format, with a checksum. */
function asNewerFormat(block: Uint8Array): Uint8Array {
  const bytes = Uint8Array.from(block);
  const trailerAt = bytes.length - 24;
  const view = new DataView(bytes.buffer);
  view.setUint32(trailerAt, 99, true);
  const footer = bytes.subarray(trailerAt - view.getUint32(trailerAt + 4, true), trailerAt);
  const start = crc32(bytes.subarray(trailerAt, trailerAt + 12));
  view.setUint32(trailerAt + 12, crc32(footer, start), true);
  return bytes;
}

function flipByte(path: string, at: number): void {
  const bytes = readFileSync(path);
  bytes[at]! ^= 0x10;
  writeFileSync(path, bytes);
}

test('help says what there is, and a wrong command line what was meant', async () => {
  const help = await run('--help');
  assert.equal(help.code, 0);
  assert.match(help.out, /spoor store verify[^]*spoor store stats[^]*--data DIR[^]*--json/);
  assert.equal((await run('verify', '-h')).out, help.out);
  assert.deepEqual(await run(), {
    code: 2,
    out: '',
    err: 'spoor: spoor store needs one of: verify, stats, compact, delete\n',
  });
  const typo = await run('verfy');
  assert.equal(typo.code, 2);
  assert.equal(
    typo.err,
    'spoor: unknown action: spoor store verfy; did you mean spoor store verify?\n',
  );
  const option = await run('stats', '--jason');
  assert.equal(option.code, 2);
  assert.match(option.err, /--jason.*did you mean --json/);
  assert.match((await run('stats', 'now')).err, /takes no further word: now/);
});

test('a directory without a store is no error of the store, and nothing is made there', () =>
  withDirectory(async (dir) => {
    const missing = join(dir, 'nowhere');
    const answer = await run('stats', '--data', missing);
    assert.equal(answer.code, 2);
    assert.equal(answer.err, `spoor: data directory ${missing}: there is no such directory\n`);
    assert.equal(existsSync(missing), false);
    const empty = await run('verify', '--data', dir);
    assert.equal(empty.code, 2);
    assert.match(empty.err, /no Spoor store is in it: there is no MANIFEST/);
    assert.deepEqual(readdirSync(dir), []);
    mkdirSync(join(dir, 'tenants'));
    const missingManifest = await run('verify', '--data', dir, '--json');
    assert.equal(missingManifest.code, 1);
    assert.match(missingManifest.err, /its MANIFEST is missing/);
    assert.match(
      (JSON.parse(missingManifest.out) as { error: string }).error,
      /is missing; a start/,
    );
    const file = join(dir, 'file');
    writeFileSync(file, '');
    assert.match((await run('verify', '--data', file)).err, /no Spoor store is in it/);
    assert.match(
      (await run('stats', '--set', 'storage.type=memory')).err,
      /storage\.type is memory, which keeps nothing on disk/,
    );
  }));

test('a store that a server has open is left alone', () =>
  withSample(async (data) => {
    const lock = DataLock.acquire(data);
    try {
      const { code, err } = await run('verify', '--data', data);
      assert.equal(code, 1);
      assert.match(err, /another Spoor process uses it; stop that one/);
    } finally {
      lock.release();
    }
  }));

test('a whole store is verified without a change', () =>
  withSample(async (data) => {
    const before = snapshot(data);
    const { code, out, err } = await run('verify', '--data', data);
    assert.deepEqual([code, err], [0, '']);
    assert.match(out, /3 blocks with 70 spans/);
    assert.match(out, /8 spans in no block yet/);
    assert.match(out, /Every checksum is right\.\n$/);
    assert.deepEqual(snapshot(data), before);
  }));

test('each flipped byte of a block is found, named and explained, and the rest is verified', () =>
  withSample(async (data) => {
    const block = join(data, 'tenants', 'acme', '0000000002.block');
    const { size } = statSync(block);
    for (const at of [0, 7, 8, size >> 1, size - 30, size - 12, size - 1]) {
      flipByte(block, at);
      const { code, out } = await run('verify', '--data', data, '--json');
      const { problems } = JSON.parse(out) as { problems: { path: string; meaning: string }[] };
      assert.deepEqual(
        problems.map(({ path }) => path),
        [block],
        `byte ${at}`,
      );
      // The first bytes are all that nothing is read by.
      const meaning = at < 8 ? /answered from/ : /5 spans of [0-9]+ traces of tenant acme/;
      assert.match(problems[0]!.meaning, meaning);
      assert.equal(code, 1);
      flipByte(block, at);
    }
    writeFileSync(`${block}.unnamed`, 'x');
    const whole = await run('verify', '--data', data);
    assert.equal(whole.code, 0);
    assert.match(whole.out, /no part of the store:\n {2}\S+0000000002\.block\.unnamed \(1 B\)/);
  }));

test('of a block whose first bytes alone are wrong it is said that it is answered from', () =>
  withSample(async (data) => {
    flipByte(join(data, 'tenants', 'acme', '0000000002.block'), 0);
    const { code, out } = await run('verify', '--data', data);
    assert.equal(code, 1);
    assert.match(
      out,
      /^DAMAGED block .* does not begin as a block does\n.*nothing is lost, and the/m,
    );
    assert.doesNotMatch(out, /left out/);
  }));

test('a block of a newer format is no damage, and to be read by the Spoor that wrote it', () =>
  withSample(async (data) => {
    const block = join(data, 'tenants', 'acme', '0000000002.block');
    writeFileSync(block, asNewerFormat(readFileSync(block)));
    const { code, out } = await run('verify', '--data', data);
    assert.equal(code, 1);
    assert.match(
      out,
      /^NEWER block .* format 99 is newer[^]*A newer Spoor wrote it: run that one/m,
    );
    assert.doesNotMatch(out, /DAMAGED|backup/);
  }));

test('a log that cannot be read is told as such, and the blocks are verified', () =>
  withSample(async (data) => {
    const wal = join(data, 'wal');
    const segment = readdirSync(wal).find((name) => name.endsWith('.wal'));
    rmSync(join(wal, segment!));
    mkdirSync(join(wal, segment!));
    for (const text of [/EISDIR/, /ENOTDIR/]) {
      const { code, out, err } = await run('verify', '--data', data);
      assert.deepEqual([code, err], [1, '']);
      assert.match(
        out,
        /3 blocks with 70 spans[^]*^DAMAGED write-ahead log \S+: it cannot be read: /m,
      );
      assert.match(out, text);
      const stats = await run('stats', '--data', data, '--json');
      assert.equal(stats.code, 1);
      assert.match(stats.err, /^spoor: write-ahead log \S+: it cannot be read: .*\n$/);
      assert.match((JSON.parse(stats.out) as { error: string }).error, text);
      rmSync(wal, { recursive: true });
      writeFileSync(wal, '');
    }
  }));

test('a file of overlaps that a crash left torn is told, and is no damage: nothing is lost', () =>
  withSample(async (data) => {
    const path = join(data, 'tenants', 'acme', 'overlaps');
    new OverlapsFile(DISK_WORKER_FILES, path).write([]);
    const whole = readFileSync(path);
    const sound = await run('verify', '--data', data);
    assert.equal(sound.code, 0);
    assert.match(sound.out, /Every checksum is right\.\n$/);
    assert.doesNotMatch(sound.out, /NOTE|no part of the store/);
    const flipped = whole.map((byte, i) => (i === whole.length - 1 ? byte ^ 0x10 : byte));
    for (const [bytes, flaw] of [
      [whole.subarray(0, 0), '0 bytes that do not begin as such a file does'],
      [whole.subarray(0, whole.length - 1), 'its checksum is wrong'],
      [flipped, 'its checksum is wrong'],
    ] as const) {
      writeFileSync(path, bytes);
      const { code, out } = await run('verify', '--data', data);
      assert.equal(code, 0);
      assert.match(
        out,
        new RegExp(`^NOTE overlaps \\S+overlaps: ${flaw}\\n  Nothing is lost`, 'm'),
      );
      assert.match(out, /\nEvery other checksum is right\.\n$/);
      assert.doesNotMatch(out, /DAMAGED|problem|no part of the store/);
    }
    const json = JSON.parse((await run('verify', '--data', data, '--json')).out) as {
      problems: unknown[];
      harmless: { path: string }[];
    };
    assert.deepEqual([json.problems, json.harmless.map((one) => one.path)], [[], [path]]);
    flipByte(join(data, 'tenants', 'acme', '0000000002.block'), 100);
    const both = await run('verify', '--data', data);
    assert.equal(both.code, 1);
    assert.match(both.out, /^DAMAGED block [^]*^NOTE overlaps [^]*\n1 problem found\./m);
  }));

test('a file of overlaps that cannot be read does not keep the rest from being verified', () =>
  withSample(async (data) => {
    mkdirSync(join(data, 'tenants', 'acme', 'overlaps'));
    const { code, out } = await run('verify', '--data', data);
    assert.equal(code, 0);
    assert.match(out, /^NOTE overlaps \S+overlaps: EISDIR.*\n  Nothing is lost/m);
  }));

test('damage of the log and of the manifest is told with what it means', () =>
  withSample(async (data) => {
    const manifest = join(data, 'MANIFEST');
    flipByte(manifest, 60);
    const first = await run('verify', '--data', data);
    assert.equal(first.code, 1);
    assert.match(
      first.out,
      /DAMAGED manifest \S+MANIFEST: damaged at byte [0-9]+[^]*Blocks may be/,
    );
    flipByte(manifest, 60);
    writeFileSync(manifest, Buffer.concat([readFileSync(manifest), Buffer.alloc(5, 1)]));
    assert.match(
      (await run('verify', '--data', data)).out,
      /5 bytes at its end are no whole record/,
    );
  }));

test('the store is added up by tenant and by column, as tables and as JSON', () =>
  withSample(async (data) => {
    const { code, out } = await run('stats', '--data', data);
    assert.equal(code, 0);
    assert.match(out, /^tenant +blocks +spans +bytes +B\/span +by level +in the log/m);
    assert.match(out, /^acme +1 +5 +[0-9.]+ KiB +[0-9.]+ +0: 1 +0 +2025-11-22T/m);
    assert.match(out, /^default +2 +65 +[0-9.]+ KiB +[0-9.]+ +0: 2 +8 +1970-01-01T/m);
    assert.match(out, /^spanIds +[0-9.]+ (B|KiB) +[0-9.]+ %$/m);
    const json = JSON.parse((await run('stats', '--data', data, '--json')).out) as {
      tenants: { tenant: string; spans: number; sizeBytes: number; minStartUnixNano: string }[];
      columns: { sizeBytes: number }[];
    };
    assert.deepEqual(
      json.tenants.map(({ tenant, spans }) => [tenant, spans]),
      [
        ['acme', 5],
        ['default', 65],
      ],
    );
    assert.equal(json.tenants[1]!.minStartUnixNano, '0');
    const blocks = json.tenants.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    const columns = json.columns.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    assert.ok(Math.abs(blocks - columns) < json.columns.length, 'all bytes are in the breakdown');
  }));

test('compacting merges the blocks of a tenant and keeps all spans', () =>
  withSample(async (data) => {
    const { code, out, err } = await run('compact', '--data', data);
    assert.deepEqual([code, err], [0, '']);
    assert.match(out, /before: 4 blocks with 78 spans[^]*after: {2}2 blocks with 78 spans/);
    assert.equal((await run('verify', '--data', data)).code, 0);
    assert.match((await run('stats', '--data', data)).out, /^default +1 +73 /m);
  }));

test('spans that meet all conditions are deleted, and no others', () =>
  withSample(async (data) => {
    const where = ['--data', data, '--service', 'service 1'];
    const asked = await run('delete', ...where);
    assert.equal(asked.code, 2);
    assert.match(asked.err, /would delete spans of tenant default for good; add --yes/);
    const first = await run('delete', ...where, '--yes', '--json');
    const { deletedSpans, before, after } = JSON.parse(first.out) as {
      deletedSpans: number;
      before: { spans: number };
      after: { spans: number };
    };
    assert.ok(deletedSpans > 0);
    assert.equal(after.spans, before.spans - deletedSpans);
    assert.match((await run('delete', ...where, '--yes')).out, /^0 spans deleted\.$/m);
    const late = await run('delete', '--data', data, '--start', '2200-01-01T00:00:00Z', '--yes');
    assert.match(late.out, /^2 spans deleted\.$/m);
    assert.equal((await run('verify', '--data', data)).code, 0);
  }));

test('spans without a service are deleted by the name that answers give it', () =>
  withDirectory(async (data) => {
    const named = span();
    const unnamed = span({ resource: { ...named.resource, attributes: [] } });
    await withStore(data, (store) => writeSpans(store, [named, unnamed]));
    const where = ['--data', data, '--service', 'missing-service-name', '--yes'];
    assert.match((await run('delete', ...where)).out, /^1 span deleted\.$/m);
  }));

test('with the last spans of a tenant goes what its blocks shared', () =>
  withSample(async (data) => {
    const [gone, kept] = ['acme', 'default'].map((name) => join(data, 'tenants', name, 'overlaps'));
    for (const path of [gone!, kept!]) new OverlapsFile(DISK_WORKER_FILES, path).write([]);
    const all = ['--start', '1970-01-01T00:00:00Z', '--yes'];
    assert.equal((await run('delete', '--data', data, '--tenant', 'acme', ...all)).code, 0);
    assert.deepEqual([existsSync(gone!), existsSync(kept!)], [false, true]);
  }));

test('a block that was left out and is whole again is named, and the next start takes it back', () =>
  withSample(async (data) => {
    const block = join(data, 'tenants', 'default', '0000000001.block');
    const whole = readFileSync(block);
    flipByte(block, whole.length - 1);
    await run('compact', '--data', data);
    assert.match((await run('verify', '--data', data)).out, /DAMAGED block \S+0000000001\.block/);
    writeFileSync(block, whole);
    const { code, out } = await run('verify', '--data', data);
    assert.equal(code, 0);
    assert.match(out, /LEFT OUT so far \S+0000000001\.block\n.*the next start takes it back/);
    await run('compact', '--data', data);
    const after = await run('verify', '--data', data);
    assert.match(after.out, /blocks with 78 spans/);
    assert.doesNotMatch(after.out, /LEFT OUT/);
  }));

test('where a block cannot be read nothing is deleted, unless it may go as a whole', () =>
  withSample(async (data) => {
    const block = join(data, 'tenants', 'default', '0000000001.block');
    flipByte(block, statSync(block).size - 1);
    const where = ['--data', data, '--service', 'service 1', '--yes'];
    const refused = await run('delete', ...where);
    assert.equal(refused.code, 1);
    assert.match(refused.err, /nothing was deleted: blocks of tenant default cannot be read/);
    const done = await run('delete', ...where, '--drop-damaged');
    assert.equal(done.code, 0);
    assert.equal((await run('verify', '--data', data)).code, 0);
  }));

test('a block of which nobody knew that it is damaged is found when spans are deleted, and counts as one', () =>
  withSample(async (data) => {
    const block = join(data, 'tenants', 'default', '0000000001.block');
    flipByte(block, Math.floor(statSync(block).size / 3));
    const where = ['--data', data, '--service', 'service 1', '--yes'];
    await withCopy(data, async (copy) => {
      const refused = await run('delete', '--data', copy, ...where.slice(2));
      assert.equal(refused.code, 1);
      assert.match(refused.err, /nothing was deleted: blocks of .* --drop-damaged gives them up$/m);
      assert.doesNotMatch(refused.err, / at /);
    });
    assert.equal((await run('delete', ...where, '--drop-damaged')).code, 0);
    assert.equal((await run('verify', '--data', data)).code, 0);
  }));

test('compacting leaves a damaged block as it is, says so each time, and merges the others', () =>
  withSample(async (data) => {
    const block = join(data, 'tenants', 'default', '0000000001.block');
    flipByte(block, Math.floor(statSync(block).size / 3));
    for (let time = 0; time < 2; time++) {
      const { code, out, err } = await run('compact', '--data', data);
      assert.equal(code, 1);
      assert.match(out, /damaged and left as they are: 1 block; see spoor store verify/);
      assert.match(err, /a damaged block is left out of all answers: .*0000000001\.block/);
      assert.doesNotMatch(err, / at /);
      assert.match((await run('stats', '--data', data)).out, /^default +2 /m);
    }
  }));

test('a deletion that cannot be meant so is refused before the store is opened', async () => {
  const cases: [string[], RegExp][] = [
    [['--yes'], /needs a condition, such as --service NAME/],
    [['--trace', 'xyz', '--yes'], /--trace: /],
    [['--attribute', 'color', '--yes'], /--attribute "color" is not KEY=VALUE/],
    [['--start', 'yesterday', '--yes'], /--start "yesterday" is no time with a zone/],
    [['--start', '2026-01-31T12:00:00', '--yes'], /is no time with a zone/],
    [['--start', '2026-01-02T00:00:00Z', '--end', '2026-01-01T00:00:00Z'], /is not before --end/],
    [['--service', 'x', '--tenant', 'a b', '--yes'], /--tenant: /],
    [['--service', '', '--yes'], /--service is empty; .* missing-service-name$/m],
  ];
  for (const [words, message] of cases) {
    const { code, err } = await run('delete', '--data', '/nonexistent', ...words);
    assert.equal(code, 2, words.join(' '));
    assert.match(err, message);
  }
  assert.match((await run('compact', '--service', 'x')).err, /--service is for spoor store delete/);
});

test('an option of one value that is there twice is refused, and not the last of them taken', async () => {
  const cases: [string, string[]][] = [
    ['service', ['delete', '--service', 'a', '--service', 'b', '--yes']],
    ['tenant', ['delete', '--trace', '1'.repeat(32), '--tenant', 'b', '--tenant=a', '--yes']],
    ['operation', ['delete', '--operation', 'a', '--operation', 'a', '--yes']],
    ['start', ['delete', '--start', '2026-01-01T00:00:00Z', '--start', '2026-01-02T00:00:00Z']],
    ['data', ['compact', '--data', '/nonexistent', '--data', '/neither']],
    ['config', ['verify', '--config', 'a', '--config', 'b']],
  ];
  for (const [name, words] of cases) {
    const { code, err } = await run(...words);
    assert.equal(code, 2, words.join(' '));
    assert.match(err, new RegExp(`^spoor: option --${name} is there twice and takes one value`));
  }
});

test('an option that is none is told with the one that was probably meant', async () => {
  const cases: [string[], string][] = [
    [['delete', '--svc', 'x'], 'unknown option "--svc"; did you mean --service?'],
    [['delete', '--sevice=x'], 'unknown option "--sevice"; did you mean --service?'],
    [['delete', '--colour'], 'unknown option "--colour"; spoor store --help lists them'],
    [['stats', '--json=yes'], 'option --json takes no value, but "yes" was given'],
    [['delete', '--service'], 'option --service needs a value'],
    [
      ['delete', '--service', '--yes'],
      'option --service needs a value, but the next word is the option --yes; what begins so is written --service=VALUE',
    ],
  ];
  for (const [words, message] of cases) {
    assert.deepEqual(await run(...words), { code: 2, out: '', err: `spoor: ${message}\n` });
  }
});
