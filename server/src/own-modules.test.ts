// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { ownModule } from './own-modules.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

test('our modules are found where Node finds them', () => {
  let found = 0;
  for (const path of globSync('{core,server}/src/**/*.ts', { cwd: ROOT })) {
    const parent = join(ROOT, path);
    const { resolve } = createRequire(parent);
    for (const [, specifier] of readFileSync(parent, 'utf8').matchAll(
      /^(?:import|export)[^'"]* from '((?:#|\.|@spoor\/core\/)[^']*\.ts)';$/gm,
    )) {
      const url = pathToFileURL(resolve(specifier!)).href;
      assert.equal(ownModule(specifier!, pathToFileURL(parent).href), url, `${path}: ${specifier}`);
      found++;
    }
  }
  assert.ok(found > 1000);
});

test('what is not ours is left to Node', () => {
  const parent = new URL('main.ts', import.meta.url).href;
  for (const specifier of ['zod', 'node:fs', '@grpc/grpc-js', './data.json', '@spoor/other/a.ts']) {
    assert.equal(ownModule(specifier, parent), undefined);
  }
  assert.equal(ownModule('./a.ts', 'file:///elsewhere/b.ts'), undefined);
  assert.equal(ownModule('./a.ts', undefined), undefined);
});
