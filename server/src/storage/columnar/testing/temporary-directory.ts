// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Runs `body` with a new directory, which is removed afterwards. */
export async function withDirectory<Result>(
  body: (dir: string) => Result | Promise<Result>,
): Promise<Result> {
  const dir = await mkdtemp(join(tmpdir(), 'spoor-columnar-'));
  try {
    return await body(dir);
  } finally {
    await rm(dir, { recursive: true });
  }
}
