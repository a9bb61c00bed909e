// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { SpoorError } from '@spoor/core/model/errors.ts';
import { DataLock, LOCK_FILE } from './data-lock.ts';

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

test('a lock file that is something else and a missing directory are refused by name', async () => {
  await inDir(async (dir) => {
    await writeFile(join(dir, LOCK_FILE), 'this is a text and has nothing to do with a lock');
    assert.throws(
      () => DataLock.acquire(dir),
      /lock file LOCK cannot be used: file is not a database/,
    );
    assert.throws(() => DataLock.acquire(join(dir, 'missing')), /missing.*cannot be used/);
  });
});
