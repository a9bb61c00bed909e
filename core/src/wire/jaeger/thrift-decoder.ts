// SPDX-License-Identifier: Apache-2.0
import { DecodeProgress } from '#model/decode-progress.ts';
import { SlicedDecoder } from '#model/sliced-decoder.ts';
import { ThriftBinaryReader } from '#wire/thrift/binary-reader.ts';
import { ThriftBatchDecoder } from './thrift-batch-decoder.ts';

/** Decodes the body of Jaeger's Thrift over HTTP: one `Batch` in the binary protocol. What follows it is not looked at. */
export function createJaegerThriftDecoder(): SlicedDecoder {
  const progress = new DecodeProgress('jaeger thrift');
  const reader = new ThriftBinaryReader();
  const batches = new ThriftBatchDecoder(reader, progress);
  return new SlicedDecoder(progress, (body) => {
    reader.reset(body);
    return batches.decode();
  });
}
