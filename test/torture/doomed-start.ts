// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readlink, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePorts } from '../../server/src/config/testing/free-ports.ts';

const MAIN = fileURLToPath(new URL('../../server/bin/spoor.js', import.meta.url));

/** When a start is cut: so long after its begin, or after the moment when the store begins to open. */
export type StartCut =
  | { readonly from: 'spawn'; readonly afterMs: number }
  | { readonly from: 'opening'; readonly afterMs: number };

/** A start that hangs is cut at last. */
const LIMIT_MS = 30_000;
const POLL_MS = 2;

/** How far a start came before it was killed. */
export type StartProgress = 'loading' | 'opening' | 'ready';

/** Starts a server on a data directory and kills it with SIGKILL before it is of any use. */
export async function startAndKill(directory: string, cut: StartCut): Promise<StartProgress> {
  const sets = freePorts().flatMap((set) => ['--set', set]);
  const child = spawn(process.execPath, [MAIN, '--data', directory, ...sets], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const ended = once(child, 'close');
  let log = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (log += text));
  const isOpening = async (): Promise<boolean> => opens(child.pid!, await realpath(directory));
  let opening = false;
  if (cut.from === 'opening') {
    const giveUpMs = performance.now() + LIMIT_MS;
    while (!(opening = await isOpening()) && performance.now() < giveUpMs) {
      await sleep(POLL_MS);
    }
  }
  await sleep(cut.afterMs);
  opening ||= await isOpening();
  child.kill('SIGKILL');
  await ended;
  if (log.includes('"spoor is ready"')) return 'ready';
  return opening ? 'opening' : 'loading';
}

/** Whether a process holds the lock of a data directory, which the store takes before it reads anything. */
async function opens(pid: number, directory: string): Promise<boolean> {
  const lock = join(directory, 'LOCK');
  const fds = await readdir(`/proc/${pid}/fd`).catch(() => []);
  const files = await Promise.all(
    fds.map((fd) => readlink(`/proc/${pid}/fd/${fd}`).catch(() => undefined)),
  );
  return files.includes(lock);
}
