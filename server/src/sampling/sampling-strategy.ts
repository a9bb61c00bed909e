// SPDX-License-Identifier: Apache-2.0

/** How an operation of a service is sampled. */
export interface OperationRate {
  readonly operation: string;
  /** Share of traces that are kept, 0 to 1. */
  readonly samplingRate: number;
}

/** Rates by operation; what is not among them has the default. */
export interface OperationSampling {
  /** 0 to 1. */
  readonly defaultSamplingProbability: number;
  readonly perOperationStrategies: readonly OperationRate[];
}

/**
 * How the SDKs of a service are to sample new traces: a share of them, or so many in a second; and by operation, which clients
 * look at first.
 * @see https://github.com/jaegertracing/jaeger-idl/blob/v0.6.0/proto/api_v2/sampling.proto
 */
export type SamplingStrategy = {
  readonly operationSampling: OperationSampling | undefined;
} & (
  | {
      readonly type: 'probabilistic';
      /** 0 to 1. */
      readonly samplingRate: number;
    }
  | { readonly type: 'ratelimiting'; readonly maxTracesPerSecond: number }
);

/** Strategies by service. */
export interface SamplingStrategies {
  readonly byService: ReadonlyMap<string, SamplingStrategy>;
  /** Of all other services. */
  readonly fallback: SamplingStrategy;
}

/** The strategy of a service. */
export function strategyOf(
  { byService, fallback }: SamplingStrategies,
  service: string,
): SamplingStrategy {
  return byService.get(service) ?? fallback;
}
