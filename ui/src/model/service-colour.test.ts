// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SERVICE_HUES, serviceHue } from './service-colour.ts';

test('a service keeps its hue for ever', () => {
  // Changing these changes the colour of every service of every user.
  assert.deepEqual(['frontend', 'cart', 'checkout', '支付'].map(serviceHue), [130, 205, 193, 343]);
});

test('hues are spread evenly over 24 and keep clear of the red of errors', () => {
  const counts = new Map<number, number>();
  for (let i = 0; i < 2400; i++) {
    const hue = serviceHue(`service-${i}`);
    counts.set(hue, (counts.get(hue) ?? 0) + 1);
    assert.ok(hue >= 55 && hue < 355, `hue ${hue}`);
  }
  assert.equal(counts.size, SERVICE_HUES);
  for (const count of counts.values()) assert.ok(count > 50 && count < 150, `count ${count}`);
});
