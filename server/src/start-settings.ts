// SPDX-License-Identifier: Apache-2.0
import { flushCompileCache } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * How glibc's malloc is to work: with one arena, since each keeps what it once had (with two, CPU under load was the same), and buffers
 * from 128 KiB on in memory of their own that goes back to the system when they are freed. Under overload the process stays 60 MiB
 * smaller. Of the rest, up to 8 MiB at the end are kept, which would go back 2 MiB at a time and be asked for, and cleared, again a
 * moment later: a fourteenth of the CPU of ingestion. See `mallopt(3)`. Each of these is a tunable as well.
 */
const MALLOC_SETTINGS = [
  { variable: 'MALLOC_ARENA_MAX', tunable: 'glibc.malloc.arena_max', value: '1' },
  { variable: 'MALLOC_MMAP_THRESHOLD_', tunable: 'glibc.malloc.mmap_threshold', value: '131072' },
  { variable: 'MALLOC_TRIM_THRESHOLD_', tunable: 'glibc.malloc.trim_threshold', value: '8388608' },
];

/**
 * Large memory, slabs above all, is asked for in pages of 2 MiB where the system leaves that to programs: it is read in no order, and
 * a twentieth of the CPU of ingestion went into finding pages. See "Memory Allocation Tunables" in the manual of glibc.
 */
const LARGE_PAGES = { tunable: 'glibc.malloc.hugetlb', value: '1' };

/**
 * Each thread's nursery has this size from the start, in MiB. It would begin with 1 and be cleared every 20 ms under load. More than
 * this showed in resident memory, and not surely in CPU time; it would grow while code is loaded, before `v8-settings.ts` counts.
 */
const NURSERY_FLAGS = ['--min-semi-space-size=2', '--max-semi-space-size=2'];
const ANY_NURSERY_FLAG = /^--(min|max)[-_]semi[-_]space[-_]size/;

/** The process that was started anew. What is still missing then does not stay: glibc takes tunables from programs with capabilities. */
const STARTED = 'SPOOR_STARTED';

/** Settings that a process has not got, nor others in their place. */
interface MissingSettings {
  readonly env: Readonly<Record<string, string>>;
  readonly flags: readonly string[];
}

/** What is to be set for a process at its start, once. Each setting counts alone, and what a user has set stays. */
export function missingSettings({
  env,
  execArgv,
  pid,
}: Pick<NodeJS.Process, 'env' | 'execArgv' | 'pid'>): MissingSettings {
  if (env[STARTED] === String(pid)) return { env: {}, flags: [] };
  const missing: Record<string, string> = {};
  const tunables = (env['GLIBC_TUNABLES'] ?? '').split(':').filter((one) => one !== '');
  const isTuned = (tunable: string): boolean =>
    tunables.some((one) => one.startsWith(`${tunable}=`));
  for (const { variable, tunable, value } of MALLOC_SETTINGS) {
    if (env[variable] === undefined && !isTuned(tunable)) missing[variable] = value;
  }
  const { tunable, value } = LARGE_PAGES;
  if (!isTuned(tunable)) missing['GLIBC_TUNABLES'] = [...tunables, `${tunable}=${value}`].join(':');
  const flags = [...execArgv, ...(env['NODE_OPTIONS'] ?? '').split(/\s+/)];
  const hasNursery = flags.some((flag) => ANY_NURSERY_FLAG.test(flag));
  return { env: missing, flags: hasNursery ? [] : NURSERY_FLAGS };
}

/**
 * Starts the program anew, as the same process, with {@link missingSettings}, which count only at the start. Nothing happens where
 * none is missing or the system has no `execve`.
 */
export function withStartSettings(): void {
  const { env, execPath, execArgv, argv, platform } = process;
  if (platform !== 'linux' || process.execve === undefined) return;
  const missing = missingSettings(process);
  if (missing.flags.length === 0 && Object.keys(missing.env).length === 0) return;
  // What comes next does not let it be written at the end, and the next start begins the same way.
  flushCompileCache();
  // Node says that execve is experimental each time; all that is wanted of it is done here.
  process.removeAllListeners('warning');
  process.execve(execPath, [execPath, ...missing.flags, ...execArgv, ...argv.slice(1)], {
    ...env,
    ...missing.env,
    [STARTED]: String(process.pid),
    // Said here, what is loaded before `main.ts` can say it is kept compiled as well: a fifth of a second of CPU.
    NODE_COMPILE_CACHE: env['NODE_COMPILE_CACHE'] ?? join(tmpdir(), 'node-compile-cache'),
  });
}
