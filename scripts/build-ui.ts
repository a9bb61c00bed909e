// SPDX-License-Identifier: Apache-2.0
/**
 * Builds the web page into ui/dist when its sources have changed since the last build, before
 * `npm start`. Says nothing when there is nothing to do, and then loads no build tool either.
 */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';

const ROOT = path.dirname(import.meta.dirname);
const DIST = path.join(ROOT, 'ui/dist');
const KEY_FILE = path.join(DIST, '.build-key');

/** What the page is made of. The lock file stands for every dependency. */
const SOURCES = [
  'ui/src',
  'ui/public',
  'ui/index.html',
  'ui/vite.config.ts',
  'ui/build-page.ts',
  'ui/package.json',
  'core/src',
  'package-lock.json',
];

/** Files below a path of the repository, sorted; the path itself when it is a file. Tests are no sources. */
async function listFiles(source: string): Promise<string[]> {
  const entries = await readdir(path.join(ROOT, source), {
    recursive: true,
    withFileTypes: true,
  }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOTDIR') return undefined;
    throw error;
  });
  if (entries === undefined) return [source];
  return entries
    .filter((entry) => entry.isFile() && !entry.name.endsWith('.test.ts'))
    .map((entry) => path.relative(ROOT, path.join(entry.parentPath, entry.name)))
    .sort();
}

async function computeKey(): Promise<string> {
  const hash = createHash('sha256');
  for (const files of await Promise.all(SOURCES.map(listFiles))) {
    const contents = await Promise.all(files.map((file) => readFile(path.join(ROOT, file))));
    for (const [index, content] of contents.entries()) {
      hash.update(`${files[index]}\0${content.length}\0`).update(content);
    }
  }
  return hash.digest('hex');
}

async function build(key: string): Promise<void> {
  const startMs = performance.now();
  const { buildPage } = await import('../ui/build-page.ts');
  // Built aside and moved in place, so that a server beside never serves half a page.
  const next = path.join(ROOT, `ui/.cache/dist-${process.pid}`);
  const old = path.join(ROOT, `ui/.cache/old-${process.pid}`);
  await mkdir(path.dirname(next), { recursive: true });
  try {
    await buildPage(next);
    await writeFile(path.join(next, '.build-key'), key);
    if (existsSync(DIST)) await rename(DIST, old);
    await rename(next, DIST);
  } finally {
    await rm(next, { recursive: true, force: true });
    await rm(old, { recursive: true, force: true });
  }
  const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
  console.log(`Built the web page into ui/dist in ${seconds} s.`);
}

const key = await computeKey();
const builtKey = await readFile(KEY_FILE, 'utf8').catch(() => '');
if (builtKey !== key || !existsSync(path.join(DIST, 'index.html'))) await build(key);
