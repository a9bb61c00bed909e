// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';

/** Where SDKs are installed: outside the repository, and kept between runs. */
const CACHE_DIRECTORY = join(process.env['XDG_CACHE_HOME'] || tmpdir(), 'spoor-sdk-clients');

/**
 * A directory with copies of `files` in which `install` has run: made once for each content of them.
 * @param source directory of the files; its last part names the result
 * @param files say which versions are installed
 * @param install fills the directory, which is moved once it is complete
 */
export async function installOnce(
  source: string,
  files: readonly string[],
  install: (directory: string) => Promise<unknown>,
): Promise<string> {
  const hash = createHash('sha256').update(`${process.platform} ${process.arch}`);
  for (const file of files) hash.update(readFileSync(join(source, file)));
  const key = hash.digest('hex').slice(0, 16);
  const directory = join(CACHE_DIRECTORY, `${basename(source)}-${key}`);
  if (existsSync(directory)) return directory;

  const unfinished = `${directory}.${process.pid}`;
  mkdirSync(unfinished, { recursive: true });
  try {
    for (const file of files) cpSync(join(source, file), join(unfinished, file));
    await install(unfinished);
    renameSync(unfinished, directory);
  } catch (error) {
    // Another run may have been quicker.
    if (!existsSync(directory)) throw error;
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
  return directory;
}
