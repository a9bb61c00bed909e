// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { missingSettings } from './start-settings.ts';

const ALL_ENV = {
  MALLOC_ARENA_MAX: '1',
  MALLOC_MMAP_THRESHOLD_: '131072',
  MALLOC_TRIM_THRESHOLD_: '8388608',
  GLIBC_TUNABLES: 'glibc.malloc.hugetlb=1',
};
const FLAGS = ['--min-semi-space-size=2', '--max-semi-space-size=2'];

test('a process that has no settings gets all, and with these needs no others', () => {
  const execArgv = ['--trace-warnings'];
  const missing = missingSettings({ env: { PATH: '/bin' }, execArgv, pid: 7 });
  assert.deepEqual(missing, { env: ALL_ENV, flags: FLAGS });
  const started = { env: missing.env, execArgv: [...missing.flags, ...execArgv], pid: 7 };
  assert.deepEqual(missingSettings(started), { env: {}, flags: [] });
});

test('a setting that the user has made stays, and the others are made all the same', () => {
  for (const name of [
    'MALLOC_ARENA_MAX',
    'MALLOC_MMAP_THRESHOLD_',
    'MALLOC_TRIM_THRESHOLD_',
  ] as const) {
    const { [name]: _, ...others } = ALL_ENV;
    const { env, flags } = missingSettings({ env: { [name]: '7' }, execArgv: [], pid: 7 });
    assert.deepEqual([env, flags], [others, FLAGS]);
  }
  for (const flag of ['--min-semi-space-size=8', '--max_semi_space_size=1']) {
    for (const own of [
      { env: {}, execArgv: [flag] },
      { env: { NODE_OPTIONS: `--no-warnings  ${flag}` }, execArgv: [] },
    ]) {
      assert.deepEqual(missingSettings({ ...own, pid: 7 }), { env: ALL_ENV, flags: [] });
    }
  }
});

test('tunables of the user are kept, and stand for the variables of the same meaning', () => {
  const envWith = (tunables: string): Readonly<Record<string, string>> =>
    missingSettings({ env: { GLIBC_TUNABLES: tunables }, execArgv: [], pid: 7 }).env;
  const { GLIBC_TUNABLES, ...variables } = ALL_ENV;
  assert.deepEqual(envWith('glibc.malloc.hugetlb=0'), variables);
  assert.deepEqual(envWith(''), ALL_ENV);
  assert.deepEqual(envWith('glibc.pthread.rseq=0'), {
    ...variables,
    GLIBC_TUNABLES: `glibc.pthread.rseq=0:${GLIBC_TUNABLES}`,
  });
  assert.deepEqual(envWith('glibc.malloc.arena_max=4:glibc.malloc.mmap_threshold=9'), {
    MALLOC_TRIM_THRESHOLD_: variables.MALLOC_TRIM_THRESHOLD_,
    GLIBC_TUNABLES: `glibc.malloc.arena_max=4:glibc.malloc.mmap_threshold=9:${GLIBC_TUNABLES}`,
  });
});

test('a process that was started anew is not started again, whatever it lost of its settings', () => {
  const env = { SPOOR_STARTED: '7' };
  assert.deepEqual(missingSettings({ env, execArgv: [], pid: 7 }), { env: {}, flags: [] });
  // A program that it starts has settings of its own.
  assert.deepEqual(missingSettings({ env, execArgv: [], pid: 8 }), { env: ALL_ENV, flags: FLAGS });
});
