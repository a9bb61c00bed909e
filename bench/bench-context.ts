// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { BenchOptions } from './bench-options.ts';
import type { Corpora } from './corpora.ts';
import type { ProcessMeter } from './process-usage.ts';
import { ServerProcess } from './server-process.ts';
import type { Yardstick } from './yardstick.ts';

/** What every part of the benchmark is given. */
export interface BenchContext {
  readonly options: BenchOptions;
  readonly corpora: Corpora;
  readonly meter: ProcessMeter;
  readonly yardstick: Yardstick;
  readonly pinned: boolean;
  /** Tells the person at the terminal what is going on. */
  readonly say: (text: string) => void;
}

/** Runs something with a data directory that is deleted afterwards. */
export async function withDirectory<T>(
  context: BenchContext,
  work: (directory: string) => Promise<T>,
): Promise<T> {
  const directory = mkdtempSync(join(context.options.directory, 'data-'));
  try {
    return await work(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Runs something with a server on a directory; the server is stopped afterwards. */
export async function withServer<T>(
  context: BenchContext,
  dataDirectory: string,
  work: (server: ServerProcess) => Promise<T>,
): Promise<T> {
  const { pinned, options } = context;
  const server = await ServerProcess.start({ dataDirectory, pinned, sets: options.sets });
  try {
    return await work(server);
  } finally {
    await server.stop();
  }
}
