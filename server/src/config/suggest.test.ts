// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { editDistance, nearestName, pathContaining } from './suggest.ts';

test('the distance counts inserted, deleted, replaced and swapped letters', () => {
  assert.equal(editDistance('', 'abc'), 3);
  assert.equal(editDistance('config', 'config'), 0);
  assert.equal(editDistance('config', 'cofnig'), 1);
  assert.equal(editDistance('kitten', 'sitting'), 3);
});

test('a slip of the finger finds its name and another word finds none', () => {
  const names = ['endpoint', 'enabled', 'max_body_mib'];
  assert.equal(nearestName('enpoint', names), 'endpoint');
  assert.equal(nearestName('max-body-mib', names), 'max_body_mib');
  assert.equal(nearestName('colour', names), undefined);
  assert.equal(nearestName('max_body', names), 'max_body_mib');
  assert.equal(nearestName('edp', names), 'endpoint');
  assert.equal(nearestName('end', ['end_here', 'endpoint']), undefined);
  assert.equal(nearestName('e'.repeat(10_000), names), undefined);
});

test('a path with parts left out finds the whole one', () => {
  const paths = ['a.b.c.d', 'a.x.d', 'a.b.d.e.f'];
  assert.equal(pathContaining(['b', 'd'], paths), 'a.b.c.d');
  assert.equal(pathContaining(['d', 'b'], paths), undefined);
});
