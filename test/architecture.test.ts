// SPDX-License-Identifier: Apache-2.0
// The table in ARCHITECTURE.md is the rule for who may import whom; this test makes it law.
import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';

interface Row {
  readonly folder: string;
  readonly mayImport: readonly string[];
}

const rows: Row[] = [
  ...readFileSync('ARCHITECTURE.md', 'utf8').matchAll(/^\| `([\w./-]+)` *\|[^|]*\| ([^|]*)\|$/gm),
].map(([, folder, list]) => ({ folder: folder!, mayImport: list!.trim().split(/\s+/) }));

/** Sources of all packages, tests and their support left out. */
const sources = globSync('{core,server,ui}/src/**/*.{ts,tsx}').filter(
  (path) => !/\.(test|contract)\.tsx?$/.test(path) && !path.includes('/testing/'),
);

/** `server/src/storage/columnar/wal.ts` as `server/storage/columnar/wal.ts`, the way the table names folders. */
const place = (path: string): string => path.replace('/src/', '/');

/** The deepest row of the table that holds this file. */
const rowOf = (file: string): Row | undefined =>
  rows
    .filter(({ folder }) => file === folder || file.startsWith(`${folder}/`))
    .toSorted((a, b) => b.folder.length - a.folder.length)[0];

/** The place that a specifier names; undefined for packages and `node:` modules. */
function target(path: string, specifier: string): string | undefined {
  if (specifier.startsWith('#')) return `${path.split('/')[0]}/${specifier.slice(1)}`;
  if (specifier.startsWith('.')) return place(join(dirname(path), specifier));
  return specifier.startsWith('@spoor/') ? specifier.slice('@spoor/'.length) : undefined;
}

const imports = (path: string): string[] =>
  [
    ...readFileSync(path, 'utf8').matchAll(
      /(?:^|\s)(?:from|import)\s*\(?\s*(?:new URL\()?['"]([^'"]+)['"]/g,
    ),
  ].map(([, specifier]) => specifier!);

test('every import follows the table in ARCHITECTURE.md', () => {
  assert.ok(rows.length > 10 && sources.length > 50);
  const offences: string[] = [];
  for (const path of sources) {
    const from = rowOf(place(path));
    if (from === undefined) {
      offences.push(`${path}: its folder has no row`);
      continue;
    }
    for (const specifier of imports(path)) {
      const to = rowOf(target(path, specifier) ?? '');
      if (to === undefined || to === from || from.mayImport.includes('*')) continue;
      if (!from.mayImport.includes(to.folder)) {
        offences.push(`${path}: ${from.folder} may not import ${to.folder} (${specifier})`);
      }
    }
  }
  assert.deepEqual(offences, []);
});

test('every row of the table in ARCHITECTURE.md names a folder or file that exists', () => {
  const missing = rows.filter(({ folder }) => {
    const [pkg, ...rest] = folder.split('/');
    return !existsSync(join(pkg!, 'src', ...rest));
  });
  assert.deepEqual(missing, []);
});

test('core imports no module of Node and no package', () => {
  const offences = sources
    .filter((path) => path.startsWith('core/'))
    .flatMap((path) =>
      imports(path)
        .filter((specifier) => !specifier.startsWith('#') && !specifier.startsWith('.'))
        .map((specifier) => `${path}: ${specifier}`),
    );
  assert.deepEqual(offences, []);
});

test('no file imports a path that leaves its top folder', () => {
  const offences = sources.flatMap((path) =>
    imports(path)
      .filter((specifier) => specifier.startsWith('../'))
      .filter((specifier) => {
        const folder = (file: string): string => place(file).split('/').slice(0, 2).join('/');
        return folder(join(dirname(path), specifier)) !== folder(path);
      })
      .map((specifier) => `${path}: ${specifier}`),
  );
  assert.deepEqual(offences, []);
});
