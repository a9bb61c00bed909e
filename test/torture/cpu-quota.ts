// SPDX-License-Identifier: Apache-2.0
import { existsSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs';

/** Short, so that a process that has used up its share rests for some ms and not for a tenth of a second. */
const PERIOD_MICROS = 20_000;

/** Where control groups are: the second version has one tree for everything, the first one for each resource. */
const TREES = [
  { root: '/sys/fs/cgroup/cpu', isFirst: true },
  { root: '/sys/fs/cgroup/cpu,cpuacct', isFirst: true },
  { root: '/sys/fs/cgroup', isFirst: false },
];

/**
 * A control group that gives the process in it less than its cores. Linux, as root; the process has to end before the
 * group is disposed of.
 */
export class CpuQuota implements Disposable {
  readonly #directory: string;
  readonly #isFirst: boolean;

  private constructor(directory: string, isFirst: boolean) {
    this.#directory = directory;
    this.#isFirst = isFirst;
  }

  /** Makes a group without a limit; undefined where none can be made. */
  static create(name: string): CpuQuota | undefined {
    for (const { root, isFirst } of TREES) {
      if (!existsSync(`${root}/${isFirst ? 'cpu.cfs_quota_us' : 'cgroup.controllers'}`)) continue;
      const directory = `${root}/${name}`;
      try {
        if (!isFirst) writeFileSync(`${root}/cgroup.subtree_control`, '+cpu');
        mkdirSync(directory);
        const quota = new CpuQuota(directory, isFirst);
        quota.limit(undefined);
        return quota;
      } catch {
        // Not allowed here, or the tree has no such limit.
        if (existsSync(directory)) rmdirSync(directory);
      }
    }
    return undefined;
  }

  /** Puts a process into the group, with all its threads. */
  add(pid: number): void {
    writeFileSync(`${this.#directory}/cgroup.procs`, String(pid));
  }

  /** Seconds of CPU a second for all in the group together; undefined: as much as there is. */
  limit(cores: number | undefined): void {
    const micros = cores === undefined ? undefined : Math.round(cores * PERIOD_MICROS);
    if (this.#isFirst) {
      writeFileSync(`${this.#directory}/cpu.cfs_period_us`, String(PERIOD_MICROS));
      writeFileSync(`${this.#directory}/cpu.cfs_quota_us`, String(micros ?? -1));
    } else {
      writeFileSync(`${this.#directory}/cpu.max`, `${micros ?? 'max'} ${PERIOD_MICROS}`);
    }
  }

  [Symbol.dispose](): void {
    rmdirSync(this.#directory);
  }
}
