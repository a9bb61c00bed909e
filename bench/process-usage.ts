// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** CPU time and memory of a process, as the system counts them. */
export interface ProcessUsage {
  /** User and system time of all threads, also of those that have ended. */
  readonly cpuSeconds: number;
  readonly rssBytes: number;
  /** The most that was resident at a time. */
  readonly peakRssBytes: number;
}

/** Reads `/proc`, so it needs Linux. */
export class ProcessMeter {
  readonly #ticksPerSecond = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

  /** @throws {Error} when there is no such process */
  read(pid: number): ProcessUsage {
    const stat = parseStat(readFileSync(`/proc/${pid}/stat`, 'utf8'));
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return {
      cpuSeconds: stat.ticks / this.#ticksPerSecond,
      rssBytes: parseKilobytes(status, 'VmRSS') * 1024,
      peakRssBytes: parseKilobytes(status, 'VmHWM') * 1024,
    };
  }

  /** User and system time of the thread that the process began with. @throws {Error} when there is no such process */
  mainThreadSeconds(pid: number): number {
    const stat = parseStat(readFileSync(`/proc/${pid}/task/${pid}/stat`, 'utf8'));
    return stat.ticks / this.#ticksPerSecond;
  }
}

/** Fields 14 and 15 of `/proc/PID/stat`; the name in field 2 may have spaces and brackets. */
export function parseStat(text: string): { ticks: number } {
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return { ticks: Number(fields[11]) + Number(fields[12]) };
}

/** A line such as `VmHWM:   123 kB` of `/proc/PID/status`. */
export function parseKilobytes(status: string, name: string): number {
  const match = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status);
  if (match === null) throw new Error(`/proc: no ${name}`);
  return Number(match[1]);
}
