// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** Which cores the server has and which those that load it. */
export interface CoreSplit {
  readonly server: string;
  readonly senders: string;
  readonly all: string;
}

/** One core for the server and the others for the senders; undefined where there is only one. Linux only. */
export function splitCores(): CoreSplit | undefined {
  const all = allowedCores();
  const [server, ...senders] = all;
  return server === undefined || senders.length === 0
    ? undefined
    : { server: String(server), senders: senders.join(','), all: all.join(',') };
}

/** Keeps all threads of a process, and those that they start, on these cores. */
export function pin(pid: number, cores: string): void {
  execFileSync('taskset', ['--all-tasks', '--pid', '--cpu-list', cores, String(pid)], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}

function allowedCores(): number[] {
  const status = readFileSync('/proc/self/status', 'utf8');
  const list = /^Cpus_allowed_list:\s*(\S+)$/m.exec(status)?.[1] ?? '';
  return list.split(',').flatMap((range) => {
    const [first = 0, last = first] = range.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });
}
