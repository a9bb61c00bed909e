// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiError } from './api-error.ts';
import { fetchDependencies } from './fetch-dependencies.ts';

const { signal } = new AbortController();
const when = { nowMs: 7_200_000, lookbackMs: 3_600_000 };

/** Answers with an empty list; with an error where it is asked for what is inferred. */
function server(error?: Error) {
  const asked: string[] = [];
  const fetch = async (path: string) => {
    asked.push(path);
    if (error !== undefined && path.includes('inferred')) throw error;
    return { data: [], warnings: ['a block is damaged'], nextPage: undefined };
  };
  return { asked, fetch };
}

test('calls are asked for with what sent no spans', async () => {
  const { asked, fetch } = server();
  const found = await fetchDependencies(when, signal, fetch);
  assert.deepEqual(found, { pairs: [], warnings: ['a block is damaged'] });
  assert.deepEqual(asked, ['/api/dependencies?endTs=7200000&lookback=3600000&inferred=true']);
});

test('where that is too much, it is left out, which is said', async () => {
  const { asked, fetch } = server(new ApiError('Refused', 'more than 65536 pairs', 400));
  const { warnings } = await fetchDependencies(when, signal, fetch);
  assert.equal(asked[1], '/api/dependencies?endTs=7200000&lookback=3600000');
  assert.match(warnings[0]!, /left out/);
  assert.equal(warnings[1], 'a block is damaged');
});

test('other errors are handed on', async () => {
  const { asked, fetch } = server(new ApiError('Overloaded', 'try again', 503));
  await assert.rejects(fetchDependencies(when, signal, fetch), /try again/);
  assert.equal(asked.length, 1);
});
