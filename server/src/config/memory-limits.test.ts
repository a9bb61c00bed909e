// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { memoryLimits } from './memory-limits.ts';
import { loadYaml, problemOf } from './testing/config-file.ts';

const GIB = 1024 ** 3;

function limits(limiter: string, processors = '[memory_limiter]') {
  const yaml = `
processors:
  memory_limiter: ${limiter}
  memory_limiter/2: { limit_mib: 900 }
service:
  pipelines: { traces: { receivers: [otlp], processors: ${processors}, exporters: [storage] } }
`;
  return memoryLimits(loadYaml(yaml, { sets: ['memory_limit_mib=300'] }), 4 * GIB);
}

test('a memory_limiter that a pipeline uses sets the limit of the process', () => {
  assert.deepEqual(limits('{ limit_mib: 1000 }'), { limitMib: 1000, refuseMib: 800 });
  assert.deepEqual(limits('{ check_interval: 1s, limit_mib: 1000, spike_limit_mib: 300 }'), {
    limitMib: 1000,
    refuseMib: 700,
  });
  assert.deepEqual(limits('{ limit_percentage: 50, spike_limit_percentage: 25 }'), {
    limitMib: 2048,
    refuseMib: 1024,
  });
});

test('of several the lowest counts, and one that no pipeline uses does not', () => {
  assert.equal(limits('{ limit_mib: 1000 }', '[memory_limiter, memory_limiter/2]').limitMib, 900);
  assert.equal(limits('{ limit_mib: 1000 }', '[]').limitMib, 300);
});

test('limits that cannot be are refused', () => {
  const problem = (limiter: string): string => problemOf(() => limits(limiter));
  assert.match(problem('{}'), /^processors\.memory_limiter: must have limit_mib or limit_percent/);
  assert.match(problem('{ limit_mib: 100 }'), /memory_limiter\.limit_mib: must be at least 150/);
  assert.match(
    problem('{ limit_mib: 200, spike_limit_mib: 200 }'),
    /memory_limiter\.spike_limit_mib: must be less than limit_mib/,
  );
  assert.match(
    problem('{ limit_percentage: 0.0001 }'),
    /^memory_limit_mib: a memory_limiter leaves 0 MiB, less than 150/,
  );
});
