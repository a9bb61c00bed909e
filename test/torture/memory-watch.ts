// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { parseKilobytes } from '../../bench/process-usage.ts';

/** How often memory is read: a peak lasts longer than a few of these. */
const SAMPLE_MS = 200;

/** A new peak is looked into when it is so much above the last that was. */
const LOOK_STEP_BYTES = 8 << 20;

const KIB = 1024;
const MIB = 1024 * 1024;

/** What the server itself says of its main thread's memory, and the system of the process, at one moment. */
export interface MemoryLook {
  readonly rssBytes: number;
  /** Body of `/status`, `memory` and `store`; undefined when it was not answered. */
  readonly status: unknown;
  /** Resident bytes by what they are for. */
  readonly parts: ReadonlyMap<string, number>;
}

/** Samples the resident memory of a process. Linux only. */
export class MemoryWatch {
  readonly #pid: number;
  readonly #healthUrl: string;
  readonly #timer: NodeJS.Timeout;
  readonly samples: number[] = [];
  /** At the highest sample that was looked into. */
  highest: MemoryLook | undefined;
  #lookedAt = 0;

  constructor(pid: number, healthUrl: string) {
    this.#pid = pid;
    this.#healthUrl = healthUrl;
    this.#timer = setInterval(() => this.#sample(), SAMPLE_MS);
  }

  /** Stops sampling. */
  stop(): void {
    clearInterval(this.#timer);
  }

  get peakBytes(): number {
    return Math.max(0, ...this.samples);
  }

  /** The most that was ever resident, as the kernel counted it between the samples too. */
  get highWaterBytes(): number {
    return parseKilobytes(readFileSync(`/proc/${this.#pid}/status`, 'utf8'), 'VmHWM') * KIB;
  }

  /** Samples above a limit. */
  countAbove(limitBytes: number): number {
    return this.samples.filter((bytes) => bytes > limitBytes).length;
  }

  #sample(): void {
    let status: string;
    try {
      status = readFileSync(`/proc/${this.#pid}/status`, 'utf8');
    } catch {
      // It has ended.
      return;
    }
    const rssBytes = parseKilobytes(status, 'VmRSS') * KIB;
    this.samples.push(rssBytes);
    if (rssBytes < this.#lookedAt + LOOK_STEP_BYTES) return;
    this.#lookedAt = rssBytes;
    void this.#look(rssBytes);
  }

  async #look(rssBytes: number): Promise<void> {
    const parts = residentParts(readFileSync(`/proc/${this.#pid}/smaps`, 'utf8'));
    const status = await fetch(`${this.#healthUrl}/status`)
      .then(async (answer): Promise<unknown> => await answer.json())
      .catch(() => undefined);
    this.highest = { rssBytes, status, parts };
  }
}

/** What a look says, in a few lines. */
export function formatLook(look: MemoryLook): string[] {
  const lines = [`RSS ${formatMib(look.rssBytes)}`];
  for (const [name, bytes] of look.parts) lines.push(`${name} ${formatMib(bytes)}`);
  // The shape is of our own server; what it does not have is left out.
  const { memory, store } = (look.status ?? {}) as Record<string, Record<string, number>>;
  for (const [name, bytes] of Object.entries(memory ?? {})) {
    lines.push(`main thread ${name} ${formatMib(bytes)}`);
  }
  for (const name of ['store_head_bytes', 'store_wal_queued_bytes']) {
    if (store?.[name] !== undefined) lines.push(`${name} ${formatMib(store[name])}`);
  }
  if (store?.['store_waiting_writes'] !== undefined) {
    lines.push(`store_waiting_writes ${store['store_waiting_writes']}`);
  }
  return lines;
}

/** glibc gives each thread a heap that begins at a multiple of this. */
const ARENA_BYTES = 64n << 20n;

/** Sums up the mappings of `/proc/PID/smaps`. */
function residentParts(smaps: string): Map<string, number> {
  const parts = new Map<string, number>();
  for (const mapping of smaps.split(/\n(?=[0-9a-f]+-[0-9a-f]+ )/)) {
    const [, start = '0', path = ''] =
      /^([0-9a-f]+)-\S+ \S+ \S+ \S+ \d+ *(.*)$/m.exec(mapping) ?? [];
    const isArena = path === '' && BigInt(`0x${start}`) % ARENA_BYTES === 0n;
    const name = path.startsWith('/')
      ? 'files (the program)'
      : path === '[heap]'
        ? 'malloc of the main thread'
        : isArena
          ? 'malloc of other threads'
          : 'other (heaps of V8, shared memory, large buffers)';
    parts.set(name, (parts.get(name) ?? 0) + parseKilobytes(mapping, 'Rss') * KIB);
  }
  return parts;
}

/** Bytes as `123.4 MiB`. */
export function formatMib(bytes: number): string {
  return `${(bytes / MIB).toFixed(1)} MiB`;
}
