// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { SpoorError } from '@spoor/core/model/errors.ts';
import { DataLock, LOCK_FILE, type ReadLock } from './data-lock.ts';

const MODULE = new URL('./data-lock.ts', import.meta.url).href;

async function inDir(use: (dir: string) => Promise<void>): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), 'spoor-lock-'));
  try {
    await use(dir);
  } finally {
    await rm(dir, { recursive: true });
  }
}

function assertHeld(dir: string): void {
  assert.throws(
    () => DataLock.acquire(dir),
    (error) =>
      error instanceof SpoorError &&
      error.code === 'unavailable' &&
      error.message.includes(dir) &&
      error.message.includes('another Spoor process'),
  );
}

/** Runs code with `DataLock` and `dir` in another process. */
function spawnWithLock(dir: string, code: string): ReturnType<typeof spawn> {
  const source = `import { DataLock } from ${JSON.stringify(MODULE)}; const dir = ${JSON.stringify(dir)}; ${code}`;
  return spawn(process.execPath, ['--input-type=module', '-e', source], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

async function textOf(stream: NodeJS.ReadableStream | null): Promise<string> {
  let text = '';
  for await (const piece of stream ?? []) text += String(piece);
  return text;
}

test('a directory that is held is refused to the same process until it is released', async () => {
  await inDir(async (dir) => {
    const lock = DataLock.acquire(dir);
    assertHeld(dir);
    assertHeld(dir);
    assert.deepEqual(await readdir(dir), [LOCK_FILE]);
    lock.release();
    lock.release();
    DataLock.acquire(dir).release();
  });
});

test('another process is refused, in words and without a warning', async () => {
  await inDir(async (dir) => {
    const lock = DataLock.acquire(dir);
    try {
      const child = spawnWithLock(
        dir,
        'try { DataLock.acquire(dir); console.log("held") } catch (error) { console.log(error.code, error.message) }',
      );
      const [out, err] = await Promise.all([textOf(child.stdout), textOf(child.stderr)]);
      assert.equal(err, '');
      assert.match(out, /^unavailable data directory .*another Spoor process uses it/);
      assert.ok(out.includes(dir));
    } finally {
      lock.release();
    }
  });
});

test('a process that is killed leaves no lock behind', async () => {
  await inDir(async (dir) => {
    const child = spawnWithLock(
      dir,
      'globalThis.lock = DataLock.acquire(dir); console.log("held"); setInterval(() => {}, 1e6)',
    );
    assert.ok(child.stdout);
    const [first] = await once(child.stdout, 'data');
    assert.equal(String(first).trim(), 'held');
    assertHeld(dir);
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
    DataLock.acquire(dir).release();
  });
});

test('a lock file that is something else and a missing directory are refused by name, with what to do', async () => {
  await inDir(async (dir) => {
    const path = join(dir, LOCK_FILE);
    await writeFile(path, 'this is a text and has nothing to do with a lock');
    const flaw = (): string => {
      const lock = DataLock.share(dir);
      return typeof lock === 'string' ? lock : '';
    };
    const text = /LOCK has 48 bytes that are not of Spoor; remove it while no Spoor process uses/;
    assert.throws(() => DataLock.acquire(dir), text);
    assert.match(flaw(), text);
    await rm(path);
    await mkdir(path);
    assert.throws(() => DataLock.acquire(dir), /LOCK is no file; remove it/);
    assert.match(flaw(), /LOCK is no file; remove it/);
    assert.throws(() => DataLock.acquire(join(dir, 'missing')), /LOCK cannot be opened: ENOENT/);
  });
});

test('who only reads a directory makes nothing there, keeps stores out, and no other reader', async () => {
  await inDir(async (dir) => {
    const share = (): ReadLock => {
      const lock = DataLock.share(dir);
      assert.ok(typeof lock !== 'string');
      return lock;
    };
    share().release();
    assert.deepEqual(await readdir(dir), []);
    const store = DataLock.acquire(dir);
    assert.throws(() => DataLock.share(dir), /another Spoor process uses it/);
    store.release();
    const readers = [share(), share()];
    assertHeld(dir);
    for (const reader of readers) reader.release();
    DataLock.acquire(dir).release();
    assert.deepEqual(await readdir(dir), [LOCK_FILE]);
  });
});

test('a lock file or directory that must not be written is refused by its name, and can be read', async () => {
  await inDir(async (dir) => {
    DataLock.acquire(dir).release();
    const path = join(dir, LOCK_FILE);
    await chmod(path, 0o444);
    await chmod(dir, 0o555);
    try {
      const child = spawnWithLock(
        dir,
        `// Who may do everything is not kept from it by modes.
        if (process.getuid() === 0) process.setuid(65534);
        try { DataLock.acquire(dir); console.log('held'); } catch (error) { console.log(error.message); }
        console.log(typeof DataLock.share(dir));`,
      );
      const [out, err] = await Promise.all([textOf(child.stdout), textOf(child.stderr)]);
      assert.equal(err, '');
      assert.match(
        out,
        /LOCK cannot be opened: EACCES.*; run Spoor as the user that owns the directory.*\nobject\n$/,
      );
    } finally {
      await chmod(dir, 0o755);
    }
  });
});
