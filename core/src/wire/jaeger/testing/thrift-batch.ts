// SPDX-License-Identifier: Apache-2.0
import {
  encodeMessage,
  encodeStruct,
  text,
  type Protocol,
  type ThriftField,
  type ThriftValue,
} from '#wire/thrift/testing/thrift-library.ts';
import type { JaegerBatch, JaegerSpan, Reference, Tag } from './jaeger-model.ts';

/** A batch as the body of Thrift over HTTP. */
export function thriftBody(batch: JaegerBatch, more: readonly ThriftField[] = []): Uint8Array {
  return encodeStruct('binary', [...thriftBatch(batch), ...more]);
}

/** A batch as a datagram to an agent. */
export function agentMessage(
  protocol: Protocol,
  batch: JaegerBatch,
  more: readonly ThriftField[] = [],
): Uint8Array {
  return encodeMessage(protocol, 'emitBatch', [
    [1, { type: 'struct', value: [...thriftBatch(batch), ...more] }],
  ]);
}

/** Fields of a `Batch`: the process, then the spans. */
export function thriftBatch(batch: JaegerBatch): [process: ThriftField, spans: ThriftField] {
  return [
    [
      1,
      struct([
        [1, text(batch.serviceName)],
        [2, list(batch.processTags.map(thriftTag))],
      ]),
    ],
    [2, list(batch.spans.map((span) => struct(thriftSpan(span))))],
  ];
}

/** Fields of a `Span`. */
export function thriftSpan(span: JaegerSpan): ThriftField[] {
  return [
    [1, i64(span.traceId)],
    [2, i64(span.traceId >> 64n)],
    [3, i64(span.spanId)],
    [4, i64(span.parentSpanId)],
    [5, text(span.operationName)],
    [6, list(span.references.map(thriftReference))],
    [7, { type: 'i32', value: span.flags }],
    [8, i64(span.startTime)],
    [9, i64(span.duration)],
    [10, list(span.tags.map(thriftTag))],
    [
      11,
      list(
        span.logs.map(({ timestamp, fields }) =>
          struct([
            [1, i64(timestamp)],
            [2, list(fields.map(thriftTag))],
          ]),
        ),
      ),
    ],
  ];
}

function thriftReference({ type, traceId, spanId }: Reference): ThriftValue {
  return struct([
    [1, { type: 'i32', value: type === 'CHILD_OF' ? 0 : 1 }],
    [2, i64(traceId)],
    [3, i64(traceId >> 64n)],
    [4, i64(spanId)],
  ]);
}

function thriftTag([key, value]: Tag): ThriftValue {
  const typed = (type: number, id: number, content: ThriftValue): ThriftValue =>
    struct([
      [1, text(key)],
      [2, { type: 'i32', value: type }],
      [id, content],
    ]);
  if (typeof value === 'string') return typed(0, 3, text(value));
  if (typeof value === 'boolean') return typed(2, 5, { type: 'bool', value });
  if (typeof value === 'bigint') return typed(3, 6, i64(value));
  if (value instanceof Uint8Array) return typed(4, 7, { type: 'string', value });
  return typed(1, 4, { type: 'double', value: value.double });
}

function i64(value: bigint): ThriftValue {
  return { type: 'i64', value: BigInt.asIntN(64, value) };
}

function struct(value: readonly ThriftField[]): ThriftValue {
  return { type: 'struct', value };
}

function list(value: readonly ThriftValue[]): ThriftValue {
  return { type: 'list', item: 'struct', value };
}
