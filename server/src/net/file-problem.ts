// SPDX-License-Identifier: Apache-2.0
import { resolve } from 'node:path';

/** Why a file cannot be read, with its whole path: a relative one says nothing about where it was looked for. */
export function fileProblem(path: string, error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  const why =
    code === 'ENOENT' ? 'there is no such file' : `it cannot be read (${code ?? message})`;
  return `${why}: ${resolve(path)}`;
}
