// SPDX-License-Identifier: Apache-2.0
import type { SamplingStrategy } from './sampling-strategy.ts';

/** A strategy as Jaeger's clients of today want it: what there is not is left out. */
export function strategyJson(strategy: SamplingStrategy): object {
  return strategy.type === 'probabilistic'
    ? {
        strategyType: 'PROBABILISTIC',
        probabilisticSampling: { samplingRate: strategy.samplingRate },
        ...operationsOf(strategy),
      }
    : {
        strategyType: 'RATE_LIMITING',
        rateLimitingSampling: { maxTracesPerSecond: strategy.maxTracesPerSecond },
        ...operationsOf(strategy),
      };
}

/** As {@link strategyJson} for the oldest clients: the type is a number, and what there is not is null. */
export function legacyStrategyJson(strategy: SamplingStrategy): object {
  const isProbabilistic = strategy.type === 'probabilistic';
  return {
    strategyType: isProbabilistic ? 0 : 1,
    probabilisticSampling: isProbabilistic ? { samplingRate: strategy.samplingRate } : null,
    rateLimitingSampling: isProbabilistic
      ? null
      : { maxTracesPerSecond: strategy.maxTracesPerSecond },
    operationSampling: operationsOf(strategy).operationSampling ?? null,
  };
}

function operationsOf({ operationSampling }: SamplingStrategy): { operationSampling?: object } {
  if (operationSampling === undefined) return {};
  const { defaultSamplingProbability, perOperationStrategies } = operationSampling;
  return {
    operationSampling: {
      defaultSamplingProbability,
      defaultLowerBoundTracesPerSecond: 0,
      perOperationStrategies: perOperationStrategies.map(({ operation, samplingRate }) => ({
        operation,
        probabilisticSampling: { samplingRate },
      })),
      defaultUpperBoundTracesPerSecond: 0,
    },
  };
}
