// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SpoorError } from '@spoor/core/model/errors.ts';
import { type SamplingStrategies, strategyOf } from './sampling-strategy.ts';
import { parseStrategies } from './strategies-file.ts';

function read(file: unknown): { strategies: SamplingStrategies; warnings: string[] } {
  const warnings: string[] = [];
  const strategies = parseStrategies(JSON.stringify(file), 0.001, (message) => {
    warnings.push(message);
  });
  return { strategies, warnings };
}

const probabilistic = (samplingRate: number, operations?: Record<string, number>): object => ({
  type: 'probabilistic',
  samplingRate,
  operationSampling: operations && {
    defaultSamplingProbability: samplingRate,
    perOperationStrategies: Object.entries(operations).map(([operation, rate]) => ({
      operation,
      samplingRate: rate,
    })),
  },
});

test('without strategies every service has the default probability', () => {
  for (const file of [null, {}, { service_strategies: [] }]) {
    const { strategies, warnings } = read(file);
    assert.deepEqual(strategyOf(strategies, 'shop'), probabilistic(0.001));
    assert.deepEqual(warnings, []);
  }
});

test('a service has its own strategy, all others the default one', () => {
  const { strategies } = read({
    default_strategy: { type: 'probabilistic', param: 0.5 },
    service_strategies: [
      { service: 'shop', type: 'probabilistic', param: 0.8 },
      { service: 'bank', type: 'ratelimiting', param: 5.9 },
    ],
  });
  assert.deepEqual(strategyOf(strategies, 'shop'), probabilistic(0.8));
  assert.deepEqual(strategyOf(strategies, 'bank'), {
    type: 'ratelimiting',
    maxTracesPerSecond: 5,
    operationSampling: undefined,
  });
  assert.deepEqual(strategyOf(strategies, 'other'), probabilistic(0.5));
});

test('operations of the default strategy hold for all services, and those of a service come before them', () => {
  const operation = (name: string, param: number): object => ({
    operation: name,
    type: 'probabilistic',
    param,
  });
  const { strategies } = read({
    default_strategy: {
      type: 'probabilistic',
      param: 0.5,
      operation_strategies: [operation('/health', 0), operation('/metrics', 0.1)],
    },
    service_strategies: [
      { service: 'plain', type: 'probabilistic', param: 0.8 },
      { service: 'limited', type: 'ratelimiting', param: 7 },
      {
        service: 'own',
        type: 'probabilistic',
        param: 0.3,
        operation_strategies: [operation('/pay', 1), operation('/health', 0.2)],
      },
      {
        service: 'limited with own',
        type: 'ratelimiting',
        param: 7,
        operation_strategies: [operation('/pay', 1)],
      },
    ],
  });
  const defaults = { '/health': 0, '/metrics': 0.1 };
  assert.deepEqual(strategyOf(strategies, 'other'), probabilistic(0.5, defaults));
  assert.deepEqual(strategyOf(strategies, 'plain'), probabilistic(0.8, defaults));
  assert.deepEqual(
    strategyOf(strategies, 'own'),
    probabilistic(0.3, { '/pay': 1, '/health': 0.2, '/metrics': 0.1 }),
  );
  const limited = strategyOf(strategies, 'limited').operationSampling;
  assert.equal(limited?.defaultSamplingProbability, 0.5);
  const limitedWithOwn = strategyOf(strategies, 'limited with own').operationSampling;
  assert.equal(limitedWithOwn?.defaultSamplingProbability, 0.001);
  assert.deepEqual(
    limitedWithOwn.perOperationStrategies.map((entry) => entry.operation),
    ['/pay', '/health', '/metrics'],
  );
});

test('what cannot be told to clients is left out with a warning', () => {
  const { strategies, warnings } = read({
    default_strategy: { type: 'const', param: 1 },
    service_strategies: [
      {
        service: 'shop',
        type: 'probabilistic',
        param: 1.5,
        operation_strategies: [{ operation: '/pay', type: 'ratelimiting', param: 3 }],
      },
    ],
  });
  assert.deepEqual(strategyOf(strategies, 'other'), probabilistic(0.001));
  assert.deepEqual(strategyOf(strategies, 'shop'), probabilistic(1, {}));
  assert.deepEqual(warnings, [
    'default_strategy: type "const" is not probabilistic or ratelimiting: sampled at 0.001',
    'service_strategies[0]: 1.5 is not a share from 0 to 1: taken as 1',
    'service_strategies[0].operation_strategies[0]: operations can only be probabilistic, not "ratelimiting": left out',
  ]);
});

test('a file of another form is refused with the place', () => {
  const refusal = (text: string): string => {
    try {
      parseStrategies(text, 1, () => undefined);
    } catch (error) {
      assert.ok(error instanceof SpoorError);
      assert.equal(error.code, 'config');
      return error.message;
    }
    return 'taken';
  };
  assert.match(refusal('{'), /^sampling strategies: not JSON: /);
  assert.match(refusal('[]'), /^sampling strategies: the file: /);
  assert.match(
    refusal('{"service_strategies":[{"type":"probabilistic","param":1}]}'),
    /^sampling strategies: service_strategies\[0\]\.service: /,
  );
  assert.match(
    refusal('{"default_strategy":{"type":"probabilistic","param":"1"}}'),
    /^sampling strategies: default_strategy\.param: /,
  );
});
