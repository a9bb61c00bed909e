// SPDX-License-Identifier: Apache-2.0
import { spawn, execFileSync, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import os from 'node:os';

/** Pins a process to a core; part of util-linux. */
const TASKSET = 'taskset';

/** Cores of the two sides, where the machine has two and `taskset` is there. */
const SERVER_CORE = 1;
export const CLIENT_CORE = 0;

const LOOK_FOR_THREADS_MS = 50;

/** Whether processes can be pinned to cores here. */
export function canPin(): boolean {
  const tried = spawnSync(TASKSET, ['-c', String(SERVER_CORE), 'true']);
  return tried.status === 0;
}

/** Pins this process with all its threads, and the processes that it starts from now on. */
export function pinSelf(core: number): void {
  setOwnCores(String(core));
}

/** Leaves the client's core until it is disposed of: what this process starts meanwhile may use them all. */
export function anyCore(): Disposable {
  setOwnCores(`0-${os.cpus().length - 1}`);
  return { [Symbol.dispose]: () => pinSelf(CLIENT_CORE) };
}

function setOwnCores(list: string): void {
  execFileSync(TASKSET, ['-acp', list, String(process.pid)], { stdio: 'ignore' });
}

/**
 * Keeps the threads of a process other than its first one on the client's core, until it is disposed of. A new thread begins
 * where its maker is, and a worker of the store begins when it has work.
 */
export function pinOtherThreads(pid: number): Disposable {
  const pinned = new Set([String(pid)]);
  const look = (): void => {
    for (const thread of readdirSync(`/proc/${pid}/task`)) {
      if (pinned.has(thread)) continue;
      pinned.add(thread);
      // It may have ended meanwhile.
      spawnSync(TASKSET, ['-cp', String(CLIENT_CORE), thread], { stdio: 'ignore' });
    }
  };
  look();
  const timer = setInterval(look, LOOK_FOR_THREADS_MS);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

/** Starts Node on a script, on the server's core unless told, when that is possible. */
export function startNode(
  args: readonly string[],
  pinned: boolean,
  stdio: 'pipe' | 'ignore' = 'pipe',
  core = SERVER_CORE,
): ChildProcess {
  const command = pinned ? TASKSET : process.execPath;
  const words = pinned ? ['-c', String(core), process.execPath, ...args] : args;
  // taskset replaces itself with the command, so the pid is the server's.
  return spawn(command, words, { stdio: ['ignore', stdio, 'inherit'] });
}

/** The first line that a process prints, as JSON. @throws {Error} when it ends before */
export async function firstJson(child: ChildProcess): Promise<unknown> {
  let text = '';
  for await (const chunk of child.stdout!) {
    text += String(chunk);
    const end = text.indexOf('\n');
    if (end >= 0) return JSON.parse(text.slice(0, end));
  }
  throw new Error('a child process ended before it printed its line');
}

/** Ends a process with SIGTERM, and with SIGKILL when it has not ended in time. @returns its exit code, null after a signal */
export async function stopChild(child: ChildProcess, timeoutMs = 15_000): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  const limit = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
  await ended;
  clearTimeout(limit);
  return child.exitCode;
}
