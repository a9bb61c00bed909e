// SPDX-License-Identifier: Apache-2.0
import { ProtoReader } from '@spoor/core/wire/protobuf/reader.ts';
import { ProtoWriter } from '@spoor/core/wire/protobuf/writer.ts';
import type { SamplingStrategy } from './sampling-strategy.ts';

/**
 * Service of a `SamplingStrategyParameters`; empty where it has none.
 * @throws {SpoorError} malformed
 * @see https://github.com/jaegertracing/jaeger-idl/blob/v0.6.0/proto/api_v2/sampling.proto
 */
export function decodeStrategyParameters(message: Uint8Array): string {
  const reader = new ProtoReader('sampling', message);
  const end = message.length;
  let service = '';
  while (reader.position < end) {
    const tag = reader.tag(end);
    if (tag !== 10) {
      reader.skip(tag, end);
      continue;
    }
    const length = reader.length(end);
    const start = reader.position;
    reader.position += length;
    service = new TextDecoder().decode(message.subarray(start, start + length));
  }
  return service;
}

/** A `SamplingStrategyResponse`. */
export function encodeStrategyResponse(strategy: SamplingStrategy): Uint8Array {
  const writer = new ProtoWriter();
  if (strategy.type === 'probabilistic') {
    rateField(writer, 2, strategy.samplingRate);
  } else {
    writer.uintField(1, 1);
    const start = writer.begin(3);
    writer.uintField(1, strategy.maxTracesPerSecond);
    writer.end(start);
  }
  const { operationSampling } = strategy;
  if (operationSampling !== undefined) {
    const start = writer.begin(4);
    doubleField(writer, 1, operationSampling.defaultSamplingProbability);
    for (const { operation, samplingRate } of operationSampling.perOperationStrategies) {
      const item = writer.begin(3);
      writer.bytesField(1, Buffer.from(operation));
      rateField(writer, 2, samplingRate);
      writer.end(item);
    }
    writer.end(start);
  }
  return writer.toBytes();
}

/** A `ProbabilisticSamplingStrategy`. */
function rateField(writer: ProtoWriter, field: number, samplingRate: number): void {
  const start = writer.begin(field);
  doubleField(writer, 1, samplingRate);
  writer.end(start);
}

function doubleField(writer: ProtoWriter, field: number, value: number): void {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value, true);
  writer.fixed64Field(field, view.getUint32(0, true), view.getUint32(4, true));
}
