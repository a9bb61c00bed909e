// SPDX-License-Identifier: Apache-2.0
import { ValueType } from '#model/attributes.ts';
import type { ThriftReader } from '#wire/thrift/thrift-reader.ts';
import type { V1Value } from './v1-row.ts';

/** `AnnotationType` of Zipkin's Thrift. */
const AnnotationType = { bool: 0, bytes: 1, i16: 2, i32: 3, i64: 4, double: 5, string: 6 } as const;

/** Bytes that numbers of each type have, big endian. */
const NUMBER_BYTES: Readonly<Record<number, number>> = {
  [AnnotationType.i16]: 2,
  [AnnotationType.i32]: 4,
  [AnnotationType.i64]: 8,
  [AnnotationType.double]: 8,
};

/** The value of a binary annotation: bytes, and a number that says what they are. */
export class ThriftAnnotationValue implements V1Value {
  type: ValueType = ValueType.bytes;
  bytes: Uint8Array;
  start = 0;
  end = 0;
  readonly #reader: ThriftReader;
  readonly #scalar = new Uint8Array(8);

  constructor(reader: ThriftReader) {
    this.#reader = reader;
    this.bytes = this.#scalar;
  }

  /** Takes the bytes `[start, end)` of the request. What is not as its type says stays bytes. */
  set(annotationType: number, start: number, end: number): void {
    const { bytes } = this.#reader;
    this.bytes = bytes;
    this.start = start;
    this.end = end;
    this.type = annotationType === AnnotationType.string ? ValueType.string : ValueType.bytes;
    const length = end - start;
    if (annotationType === AnnotationType.bool && length === 1) {
      this.#scalar[0] = bytes[start] === 0 ? 0 : 1;
      this.#setScalar(ValueType.bool, 1);
    } else if (length === NUMBER_BYTES[annotationType]) {
      const isNegative = annotationType !== AnnotationType.double && bytes[start]! >= 128;
      this.#scalar.fill(isNegative ? 255 : 0);
      for (let i = 0; i < length; i++) this.#scalar[i] = bytes[end - 1 - i]!;
      const isDouble = annotationType === AnnotationType.double;
      this.#setScalar(isDouble ? ValueType.double : ValueType.int, 8);
    }
  }

  #setScalar(type: ValueType, length: number): void {
    this.type = type;
    this.bytes = this.#scalar;
    this.start = 0;
    this.end = length;
  }
}
