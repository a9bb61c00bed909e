// SPDX-License-Identifier: Apache-2.0
import { SpoorError } from '@spoor/core/model/errors.ts';

/** Key and value of a record for a topic. */
export interface KeyedValue {
  /** At most 255 bytes. */
  readonly key: Buffer;
  readonly value: Buffer;
}

/*
 * The records of a request as it waits in a queue: "SPK" and 1, then for each record one byte with the length of its key, four
 * with that of its value (little endian), key, value.
 */
const MAGIC = Buffer.from('SPK\x01', 'latin1');
const HEAD_BYTES = 5;

/** Records in one piece of memory. */
export function encodeFrames(records: readonly KeyedValue[]): Buffer {
  const bytes = records.reduce(
    (sum, { key, value }) => sum + HEAD_BYTES + key.length + value.length,
    MAGIC.length,
  );
  const frames = Buffer.allocUnsafeSlow(bytes);
  let at = MAGIC.copy(frames);
  for (const { key, value } of records) {
    at = frames.writeUInt8(key.length, at);
    at = frames.writeUInt32LE(value.length, at);
    at += key.copy(frames, at);
    at += value.copy(frames, at);
  }
  return frames;
}

/**
 * The records of {@link encodeFrames}; keys and values are views of the bytes.
 * @throws {SpoorError} config: they are something else, as where the directory of a queue was another exporter's
 */
export function decodeFrames({ buffer, byteOffset, length }: Uint8Array): KeyedValue[] {
  const frames = Buffer.from(buffer, byteOffset, length);
  if (!frames.subarray(0, MAGIC.length).equals(MAGIC))
    throw notFrames('it does not begin as they do');
  const records: KeyedValue[] = [];
  for (let at = MAGIC.length; at < length;) {
    if (length - at < HEAD_BYTES) throw notFrames(`${length - at} bytes are left at byte ${at}`);
    const keyAt = at + HEAD_BYTES;
    const valueAt = keyAt + frames.readUInt8(at);
    const end = valueAt + frames.readUInt32LE(at + 1);
    if (end > length) throw notFrames(`a record ends at byte ${end} of ${length}`);
    records.push({ key: frames.subarray(keyAt, valueAt), value: frames.subarray(valueAt, end) });
    at = end;
  }
  return records;
}

function notFrames(why: string): SpoorError {
  return new SpoorError('config', `what waits in the queue is no records for Kafka: ${why}`);
}
