// SPDX-License-Identifier: Apache-2.0
import { appendFileSync, readFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';

/** Where the probe in a server writes; see {@link probeEnvironment}. */
const FILE_VARIABLE = 'SPOOR_TORTURE_LOOP_PROBE';
/** How often the loop is looked at. What is measured may be longer by so much than what blocked it. */
const INTERVAL_MS = 5;
/** Shorter turns are not worth a line. */
const TOLD_MS = 20;

/** With these variables a process notes how long its event loop was busy with one turn. */
export function probeEnvironment(file: string): Readonly<Record<string, string>> {
  return { NODE_OPTIONS: `--import=${import.meta.url}`, [FILE_VARIABLE]: file };
}

/** The longest turns of the loop noted in a file, ms, the longest first. */
export function longestTurns(file: string): number[] {
  let text = '';
  try {
    text = readFileSync(file, 'latin1');
  } catch {
    // There was none to note.
  }
  const turns = text.split('\n').filter((line) => line !== '');
  return turns.map(Number).sort((a, b) => b - a);
}

/**
 * Notes turns by the CPU time of the main thread, not by the clock: other programs on the machine lengthen what the clock says.
 * A turn that waits for a disk or a lock is not seen.
 */
function startProbe(file: string): void {
  const cpuMs = (): number => {
    const { user, system } = process.threadCpuUsage();
    return (user + system) / 1000;
  };
  let before = cpuMs();
  setInterval(() => {
    const now = cpuMs();
    const turn = now - before;
    before = now;
    if (turn >= TOLD_MS) appendFileSync(file, `${turn.toFixed(1)}\n`);
  }, INTERVAL_MS).unref();
}

const file = process.env[FILE_VARIABLE];
if (file !== undefined && isMainThread) startProbe(file);
