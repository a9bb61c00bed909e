// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { retentionPolicy } from './stores.ts';

const HOUR_MS = 3_600_000;

test('ages are in ms, and that of missing-service-name is also of spans without a service', () => {
  const services = {
    shop: { max_age_hours: 2 },
    'missing-service-name': { max_age_hours: 0.5 },
  };
  const policy = retentionPolicy({
    max_age_hours: 1,
    services: {},
    tenants: { acme: { max_mib: 3, services } },
  });
  assert.equal(policy.maxAgeMs, HOUR_MS);
  const [tenant, acme] = [...policy.tenants!][0]!;
  assert.deepEqual([tenant, acme.maxBytes], ['acme', 3 << 20]);
  assert.deepEqual(
    acme.services,
    new Map([
      ['shop', 2 * HOUR_MS],
      ['', HOUR_MS / 2],
      ['missing-service-name', HOUR_MS / 2],
    ]),
  );
});
