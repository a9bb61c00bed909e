// SPDX-License-Identifier: Apache-2.0
import { SpoorError } from '#model/errors.ts';

/** Types of Thrift values; both protocols are read into these numbers, which are those of the binary one. */
export const ThriftType = {
  stop: 0,
  bool: 2,
  byte: 3,
  double: 4,
  i16: 6,
  i32: 8,
  i64: 10,
  string: 11,
  struct: 12,
  map: 13,
  set: 14,
  list: 15,
  uuid: 16,
} as const;

/** Types of a message that call a method: a call that awaits an answer, and one that does not. */
export const ThriftMessageType = { call: 1, oneway: 4 } as const;

/** Values that are passed over may be nested this deep; Thrift's own libraries stop at 64 too. */
const MAX_SKIP_DEPTH = 64;

/**
 * Reads Thrift from `bytes[position, …)`, in either protocol. It holds a position and the last value, so that one reader serves
 * a whole message and nothing is allocated.
 *
 * Reading past the end, negative lengths and unknown types throw; counts are checked against the bytes left, since every
 * item takes one at least.
 * @see https://github.com/apache/thrift/tree/v0.22.0/doc/specs
 */
export interface ThriftReader {
  readonly bytes: Uint8Array;
  position: number;
  /** Id of the field that {@link field} came to. */
  readonly fieldId: number;
  /** Halves of the last i64. */
  readonly lo: number;
  readonly hi: number;
  /** The last string or binary is `bytes[start, end)`; not checked to be UTF-8. */
  readonly start: number;
  readonly end: number;
  /** Type of the items of the last list or set, and of the values of the last map; of the map's keys. */
  readonly itemType: number;
  readonly keyType: number;

  /** Starts on other bytes. */
  reset(bytes: Uint8Array): void;
  /**
   * Reads the begin of a message; its name is then the last string.
   * @returns the message's type
   */
  message(): number;
  /**
   * Goes to the next field of a struct.
   * @param lastId id of the field before, 0 at first
   * @returns the type of its value; `stop` at the end of the struct
   */
  field(lastId: number): number;
  bool(): boolean;
  byte(): number;
  i16(): number;
  i32(): number;
  /** Reads into `lo` and `hi`. */
  i64(): void;
  /** Reads the 8 bytes of a double to `target`, little endian. */
  double(target: Uint8Array): void;
  /** Reads a string or binary into `start` and `end`. */
  string(): void;
  /** @returns the number of items of a list or set */
  list(): number;
  /** @returns the number of pairs of a map */
  map(): number;
  /** @throws {SpoorError} malformed, with the position */
  fail(what: string): never;
}

/** Writes the i64 that was read last, big endian, as ids are. */
export function putThriftId({ lo, hi }: ThriftReader, target: Uint8Array, at: number): void {
  for (let i = 0; i < 4; i++) {
    target[at + i] = (hi >>> (24 - 8 * i)) & 255;
    target[at + 4 + i] = (lo >>> (24 - 8 * i)) & 255;
  }
}

/** Passes over a value. */
export function skipThrift(reader: ThriftReader, type: number): void {
  skip(reader, type, 1);
}

function skip(reader: ThriftReader, type: number, depth: number): void {
  if (depth > MAX_SKIP_DEPTH) reader.fail(`nested over ${MAX_SKIP_DEPTH} deep`);
  switch (type) {
    case ThriftType.bool:
      reader.bool();
      return;
    case ThriftType.byte:
      reader.byte();
      return;
    case ThriftType.i16:
      reader.i16();
      return;
    case ThriftType.i32:
      reader.i32();
      return;
    case ThriftType.i64:
      reader.i64();
      return;
    case ThriftType.double:
      skipBytes(reader, 8);
      return;
    case ThriftType.uuid:
      skipBytes(reader, 16);
      return;
    case ThriftType.string:
      reader.string();
      return;
    case ThriftType.struct:
      for (let id = 0; ;) {
        const fieldType = reader.field(id);
        if (fieldType === ThriftType.stop) return;
        id = reader.fieldId;
        skip(reader, fieldType, depth + 1);
      }
    case ThriftType.set:
    case ThriftType.list: {
      const count = reader.list();
      const { itemType } = reader;
      for (let i = 0; i < count; i++) skip(reader, itemType, depth + 1);
      return;
    }
    case ThriftType.map: {
      const count = reader.map();
      const { itemType, keyType } = reader;
      for (let i = 0; i < count; i++) {
        skip(reader, keyType, depth + 1);
        skip(reader, itemType, depth + 1);
      }
      return;
    }
    default:
      reader.fail(`type ${type}`);
  }
}

function skipBytes(reader: ThriftReader, count: number): void {
  checkLeft(reader, count);
  reader.position += count;
}

/** Throws where fewer bytes are left. */
export function checkLeft(reader: ThriftReader, count: number): void {
  const left = reader.bytes.length - reader.position;
  if (count > left) reader.fail(`truncated: ${count} bytes > ${left} bytes left`);
}

/** Throws where a list or map cannot have so many items, and where its length is negative. */
export function checkCount(reader: ThriftReader, count: number, bytesEach: number): void {
  const left = reader.bytes.length - reader.position;
  if (count < 0) reader.fail(`negative length ${count}`);
  if (count * bytesEach > left) reader.fail(`truncated: ${count} items > ${left} bytes left`);
}

/** The error of a reader. */
export function thriftError(protocol: string, what: string, position: number): SpoorError {
  return new SpoorError('malformed', `thrift ${protocol}: ${what} at byte ${position}`);
}
