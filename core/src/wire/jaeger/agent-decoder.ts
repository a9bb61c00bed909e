// SPDX-License-Identifier: Apache-2.0
import { DecodeProgress } from '#model/decode-progress.ts';
import { quote } from '#model/errors.ts';
import { SlicedDecoder } from '#model/sliced-decoder.ts';
import { decodeText } from '#model/utf8.ts';
import {
  skipThrift,
  ThriftMessageType,
  ThriftType,
  type ThriftReader,
} from '#wire/thrift/thrift-reader.ts';
import { ZipkinThriftSpans } from '#wire/zipkin/thrift-decoder.ts';
import type { JaegerClientReport } from './client-report.ts';
import { ThriftBatchDecoder } from './thrift-batch-decoder.ts';

/**
 * Decodes what Jaeger clients send to an agent, a datagram each: a Thrift message that calls `emitBatch`,
 * or of the oldest ones `emitZipkinBatch`.
 * @param reader of the protocol that clients speak
 * @see https://github.com/jaegertracing/jaeger-idl/blob/v0.6.0/thrift/agent.thrift
 */
export function createJaegerAgentDecoder(reader: ThriftReader): SlicedDecoder<JaegerClientReport> {
  const progress = new DecodeProgress('jaeger agent');
  const batches = new ThriftBatchDecoder(reader, progress);
  const zipkinSpans = new ZipkinThriftSpans(reader, progress);
  return new SlicedDecoder(
    progress,
    (body) => {
      reader.reset(body);
      batches.report = undefined;
      return decodeMessage(reader, batches, zipkinSpans);
    },
    () => batches.report,
  );
}

function* decodeMessage(
  reader: ThriftReader,
  batches: ThriftBatchDecoder,
  zipkinSpans: ZipkinThriftSpans,
): Generator<void, void, void> {
  const type = reader.message();
  const name = decodeText(reader.bytes, reader.start, reader.end);
  if (type !== ThriftMessageType.call && type !== ThriftMessageType.oneway) {
    reader.fail(`message of type ${type}, which calls nothing`);
  }
  const isZipkin = name === 'emitZipkinBatch';
  if (!isZipkin && name !== 'emitBatch') {
    reader.fail(`call of ${quote(name)}, which agents do not have`);
  }
  for (let id = 0; ;) {
    const fieldType = reader.field(id);
    if (fieldType === ThriftType.stop) return;
    id = reader.fieldId;
    if (id === 1 && !isZipkin && fieldType === ThriftType.struct) yield* batches.decode();
    else if (id === 1 && isZipkin && fieldType === ThriftType.list) yield* zipkinSpans.decode();
    else skipThrift(reader, fieldType);
  }
}
