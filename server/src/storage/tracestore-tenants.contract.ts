// SPDX-License-Identifier: Apache-2.0
import { test } from 'node:test';
import { askAcrossTenants } from './testing/tenant-questions.ts';
import type { StoreHarness } from './testing/store-harness.ts';

/**
 * Registers the test that tenants see nothing of each other; part of `testTraceStore`. The torture asks ten thousand
 * questions; here are some.
 */
export function testTenants(
  name: string,
  withStore: (body: (harness: StoreHarness) => Promise<void>) => Promise<void>,
  histories: number,
): void {
  test(`${name}: any question of any tenant is answered from its own spans alone`, () =>
    withStore((harness) => askAcrossTenants(harness, { questions: histories * 12 })));
}
