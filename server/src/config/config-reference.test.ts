// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { configJsonSchema, configKeys, walkKeys, type JsonSchema } from './config-keys.ts';
import { configReference } from './config-reference.ts';

const PAGE = new URL('../../../docs/reference/configuration.md', import.meta.url);

/** Without what the formatter of this repository adds: padding of tables, and one sort of emphasis. */
function plain(page: string): string {
  return page
    .replaceAll(/ *\| */g, '|')
    .replaceAll(/\| ?-+/g, '|-')
    .replaceAll(/\n{2,}/g, '\n');
}

test('the page of the configuration is what spoor config docs prints', () => {
  const page = configReference();
  if (process.env['SPOOR_WRITE_REFERENCE'] !== undefined) writeFileSync(PAGE, page);
  assert.equal(
    plain(readFileSync(PAGE, 'utf8')),
    plain(page),
    'write it anew: SPOOR_WRITE_REFERENCE=1 node --test server/src/config/config-reference.test.ts',
  );
});

test('every key is explained', () => {
  const silent = [...walkKeys(configKeys())].filter(({ description }) => description === '');
  assert.deepEqual(
    silent.map(({ path }) => path),
    [],
  );
});

/** What `walkKeys` gives, by way of JSON Schema. */
function* walkSchema(prefix: string, schema: JsonSchema): Generator<unknown[]> {
  for (const [name, child] of Object.entries(schema.properties ?? {})) {
    const path = `${prefix}${name}`;
    yield [path, child.description, child.writeOnly === true, child.properties !== undefined];
    yield* walkSchema(`${path}.`, child);
  }
}

test('keys are read from the schema as JSON Schema tells them', () => {
  const keys = [...walkKeys(configKeys())].map(({ path, description, isSecret, children }) => [
    path,
    description,
    isSecret,
    children !== undefined,
  ]);
  assert.deepEqual(keys, [...walkSchema('', configJsonSchema())]);
});
