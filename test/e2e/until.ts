// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';

/** Liveness limit, ms: a broker or a member of a group that was killed is missed, and replaced, within some seconds. */
const LIMIT_MS = 60_000;

/** Resolves once it holds; fails after a generous time. */
export async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const endMs = Date.now() + LIMIT_MS;
  while (!(await holds())) {
    if (Date.now() > endMs) assert.fail(`${what}: not within ${LIMIT_MS} ms`);
    await pause(50);
  }
}
