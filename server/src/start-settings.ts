// SPDX-License-Identifier: Apache-2.0
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * How glibc's malloc is to work: few arenas, since each keeps what it once had, and buffers from 128 KiB on in memory of their
 * own that goes back to the system when they are freed. Under overload the process stays 60 MiB smaller. See `mallopt(3)`.
 *
 * Large memory, slabs above all, is asked for in pages of 2 MiB where the system leaves that to programs: it is read in no order, and
 * a twentieth of the CPU of ingestion went into finding pages. See "Memory Allocation Tunables" in the manual of glibc.
 */
const MALLOC_SETTINGS = {
  MALLOC_ARENA_MAX: '2',
  MALLOC_MMAP_THRESHOLD_: '131072',
  GLIBC_TUNABLES: 'glibc.malloc.hugetlb=1',
};

/**
 * Each thread's nursery has this size from the start, in MiB. It would begin with 1 and stay there, and be cleared every 20 ms
 * under load. More than this showed in resident memory, and not surely in CPU time.
 */
const V8_SETTINGS = ['--min-semi-space-size=2'];

/**
 * Starts the program anew, as the same process, with {@link MALLOC_SETTINGS} in its environment and
 * {@link V8_SETTINGS}, which both count only at the start. Nothing happens where they are set already or the system has no `execve`.
 */
export function withStartSettings(): void {
  const { env, execPath, execArgv, argv, platform } = process;
  if (platform !== 'linux' || process.execve === undefined) return;
  if (Object.keys(MALLOC_SETTINGS).some((name) => env[name] !== undefined)) return;
  // Node says that execve is experimental each time; all that is wanted of it is done here.
  process.removeAllListeners('warning');
  process.execve(execPath, [execPath, ...V8_SETTINGS, ...execArgv, ...argv.slice(1)], {
    ...env,
    ...MALLOC_SETTINGS,
    // Said here, what is loaded before `main.ts` can say it is kept compiled as well: a fifth of a second of CPU.
    NODE_COMPILE_CACHE: env['NODE_COMPILE_CACHE'] ?? join(tmpdir(), 'node-compile-cache'),
  });
}
