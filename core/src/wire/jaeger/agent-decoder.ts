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
import { DATAGRAM_HEAD_BYTES, datagramLength } from './joined-datagrams.ts';
import { ThriftBatchDecoder } from './thrift-batch-decoder.ts';

/** Decodes messages to an agent; the reports are those of the clients in the body that is done, if any. */
type AgentDecoder = SlicedDecoder<readonly JaegerClientReport[]>;

/**
 * Decodes what Jaeger clients send to an agent, a datagram each: a Thrift message that calls `emitBatch`,
 * or of the oldest ones `emitZipkinBatch`.
 * @param reader of the protocol that clients speak
 * @see https://github.com/jaegertracing/jaeger-idl/blob/v0.6.0/thrift/agent.thrift
 */
export function createJaegerAgentDecoder(reader: ThriftReader): AgentDecoder {
  return createDecoder(reader, decodeMessage);
}

/** The same for datagrams that were joined by `joinDatagrams`. One that is malformed makes the body so. */
export function createJoinedAgentDecoder(reader: ThriftReader): AgentDecoder {
  return createDecoder(reader, decodeJoined);
}

type Decode = (
  reader: ThriftReader,
  batches: ThriftBatchDecoder,
  zipkinSpans: ZipkinThriftSpans,
  reports: JaegerClientReport[],
) => Generator<void, void, void>;

function createDecoder(reader: ThriftReader, decode: Decode): AgentDecoder {
  const progress = new DecodeProgress('jaeger agent');
  const batches = new ThriftBatchDecoder(reader, progress);
  const zipkinSpans = new ZipkinThriftSpans(reader, progress);
  let reports: JaegerClientReport[] = [];
  return new SlicedDecoder<readonly JaegerClientReport[]>(
    progress,
    (body) => {
      reader.reset(body);
      if (reports.length > 0) reports = [];
      return decode(reader, batches, zipkinSpans, reports);
    },
    () => (reports.length === 0 ? undefined : reports),
  );
}

function* decodeJoined(...[reader, ...parts]: Parameters<Decode>): Generator<void, void, void> {
  while (reader.position < reader.bytes.length) {
    const start = reader.position + DATAGRAM_HEAD_BYTES;
    const end = start + datagramLength(reader.bytes, reader.position);
    reader.position = start;
    yield* decodeMessage(reader, ...parts);
    // The reader sees the next datagrams too.
    if (reader.position > end) reader.fail('a datagram is truncated');
    reader.position = end;
  }
}

function* decodeMessage(
  reader: ThriftReader,
  batches: ThriftBatchDecoder,
  zipkinSpans: ZipkinThriftSpans,
  reports: JaegerClientReport[],
): Generator<void, void, void> {
  batches.report = undefined;
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
    if (fieldType === ThriftType.stop) break;
    id = reader.fieldId;
    if (id === 1 && !isZipkin && fieldType === ThriftType.struct) yield* batches.decode();
    else if (id === 1 && isZipkin && fieldType === ThriftType.list) yield* zipkinSpans.decode();
    else skipThrift(reader, fieldType);
  }
  if (batches.report !== undefined) reports.push(batches.report);
}
