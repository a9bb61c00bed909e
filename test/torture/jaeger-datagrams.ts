// SPDX-License-Identifier: Apache-2.0
import type { JaegerSpan } from '../../core/src/wire/jaeger/testing/jaeger-model.ts';
import { agentMessage } from '../../core/src/wire/jaeger/testing/thrift-batch.ts';
import { CHECKSUM_KEY, EVENT_NAME, PAYLOAD_KEY } from './request-body.ts';
import type { PlannedRequest, PlannedSpan, SpanPlan } from './span-plan.ts';

/** A request as a Jaeger client sends it to an agent: a datagram of compact Thrift for each of its services. */
export function encodeDatagrams(plan: SpanPlan, request: PlannedRequest): Uint8Array[] {
  const byService = new Map<string, JaegerSpan[]>();
  for (let i = 0; i < request.spans; i++) {
    const span = plan.span(request, i);
    const spans = byService.get(span.serviceName) ?? [];
    spans.push(jaegerSpan(span));
    byService.set(span.serviceName, spans);
  }
  return Array.from(byService, ([serviceName, spans]) =>
    agentMessage('compact', { serviceName, processTags: [], spans }),
  );
}

function jaegerSpan(span: PlannedSpan): JaegerSpan {
  const startTime = span.startTimeUnixNano / 1000n;
  return {
    traceId: BigInt(`0x${span.traceId}`),
    spanId: BigInt(`0x${span.spanId}`),
    parentSpanId: span.parentSpanId === '' ? 0n : BigInt(`0x${span.parentSpanId}`),
    operationName: span.name,
    references: [],
    flags: 1,
    startTime,
    duration: BigInt(Math.floor(span.durationNanos / 1000)),
    tags: [
      [PAYLOAD_KEY, span.payload],
      [CHECKSUM_KEY, span.checksum],
      ...(span.isError ? [['error', true] as const] : []),
    ],
    logs: span.hasEvent ? [{ timestamp: startTime, fields: [['event', EVENT_NAME]] }] : [],
  };
}
