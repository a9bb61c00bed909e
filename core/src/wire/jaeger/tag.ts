// SPDX-License-Identifier: Apache-2.0
import { ValueType } from '#model/attributes.ts';

/** One tag of a span, log or process as it was read: ranges of the request, and canonical bytes. */
export class JaegerTag {
  /** The request. */
  body: Uint8Array = EMPTY;
  /** The tag in the form in which it came is `body[encodedStart, encodedEnd)`; empty when that says too little of it. */
  encodedStart = 0;
  encodedEnd = 0;
  keyStart = 0;
  keyEnd = 0;
  type: ValueType = ValueType.absent;
  /** Canonical bytes of the value are `value[start, end)`; a string's are in the body. */
  value: Uint8Array = EMPTY;
  start = 0;
  end = 0;
  readonly #scalar = new Uint8Array(8);

  /** Whether a string, which is then `body[start, end)`. */
  get isString(): boolean {
    return this.type === ValueType.string;
  }

  /** Gives it a string or binary value. */
  setRange(type: ValueType, start: number, end: number): void {
    this.type = type;
    this.value = this.body;
    this.start = start;
    this.end = end;
  }

  setBool(value: boolean): void {
    this.#scalar[0] = value ? 1 : 0;
    this.#setScalar(ValueType.bool, 1);
  }

  /** Gives it a 64-bit integer, or a double by its bits. */
  set64(type: ValueType, lo: number, hi: number): void {
    for (let i = 0; i < 4; i++) {
      this.#scalar[i] = (lo >>> (8 * i)) & 255;
      this.#scalar[i + 4] = (hi >>> (8 * i)) & 255;
    }
    this.#setScalar(type, 8);
  }

  /** Gives it a double. */
  setDouble(bytes: Uint8Array): void {
    this.#scalar.set(bytes);
    this.#setScalar(ValueType.double, 8);
  }

  /** Takes its value away: the type is one that Jaeger does not have. */
  setAbsent(): void {
    this.type = ValueType.absent;
    this.value = EMPTY;
    this.start = this.end = 0;
  }

  #setScalar(type: ValueType, length: number): void {
    this.type = type;
    this.value = this.#scalar;
    this.start = 0;
    this.end = length;
  }
}

const EMPTY: Uint8Array = new Uint8Array(0);
