// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { TenantTwins } from './tenant-twins.ts';

/** Of each kind of state; the torture asks ten thousand. */
const QUESTIONS = 150;

test('a tenant is answered as if it had a server of its own, whatever others send', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'spoor-tenants-'));
  try {
    await using twins = await TenantTwins.start(directory, 7);
    const ask = async (): Promise<void> => {
      for (let i = 0; i < QUESTIONS; i++) assert.equal(await twins.ask(), undefined);
    };
    await ask();
    await twins.write(80);
    await ask();
    await twins.restart();
    await twins.write(40);
    await ask();
    for (let i = 0; i < QUESTIONS; i++) assert.equal(await twins.askAsNobody(), 401);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
