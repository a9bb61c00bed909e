// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import os from 'node:os';

/** Where and when figures were measured, as lines of a list. */
export function describeMachine(pinned: boolean): string[] {
  const cpus = os.cpus();
  const model = cpus[0]?.model.trim() ?? 'unknown CPU';
  const [load = 0] = os.loadavg();
  return [
    `${cpus.length} × ${model}, ${Math.round(os.totalmem() / 2 ** 30)} GiB, ${os.type()} ${os.release()}, Node ${process.version}`,
    `load average before: ${load.toFixed(2)}; ${pinned ? 'server on one core, client on another' : 'nothing pinned to a core'}`,
  ];
}

/** The commit that is checked out, with a mark when files differ from it. */
export function describeCommit(): string {
  try {
    const commit = git('rev-parse', '--short=12', 'HEAD');
    return git('status', '--porcelain', '--untracked-files=no') === ''
      ? commit
      : `${commit} with changes`;
  } catch {
    return 'no commit';
  }
}

function git(...args: string[]): string {
  return execFileSync('git', args, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  }).trim();
}
