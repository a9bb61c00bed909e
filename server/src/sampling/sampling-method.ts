// SPDX-License-Identifier: Apache-2.0
import type { GrpcBodyMethod } from '#net/grpc-call.ts';
import { MemoryBudget } from '#net/memory-budget.ts';
import { refusalOf } from '#net/refusal.ts';
import type { StrategiesSource } from './strategies-source.ts';
import { decodeStrategyParameters, encodeStrategyResponse } from './strategy-proto.ts';

/** For all questions under way; each is some dozens of bytes. */
const BUDGET_BYTES = 4 << 20;

const SERVICE = 'jaeger.api_v2.SamplingManager';

/** `SamplingManager/GetSamplingStrategy`: the sampling strategy of a service over gRPC. */
export function samplingMethod(strategies: StrategiesSource): GrpcBodyMethod {
  const budget = new MemoryBudget(BUDGET_BYTES);
  return {
    service: SERVICE,
    path: `/${SERVICE}/GetSamplingStrategy`,
    budgetOf: () => budget,
    handle(call, { bytes, lease }) {
      try {
        const service = decodeStrategyParameters(bytes);
        call.answer(encodeStrategyResponse(strategies.strategyOf(service)));
      } catch (error) {
        call.refuse(refusalOf(error));
      } finally {
        lease.release();
      }
    },
    onRefused: () => undefined,
  };
}
