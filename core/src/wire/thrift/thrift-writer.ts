// SPDX-License-Identifier: Apache-2.0

/**
 * Writes Thrift, in either protocol. Every struct, the arguments of a message among them, is opened by `struct` and closed by
 * `stop`.
 * @see https://github.com/apache/thrift/tree/v0.22.0/doc/specs
 */
export interface ThriftWriter {
  /** A copy of what was written. */
  toBytes(): Uint8Array<ArrayBuffer>;
  /** The begin of a message, one of `ThriftMessageType`; the struct of its arguments is to follow. */
  message(name: Uint8Array, type: number): void;
  struct(): void;
  stop(): void;
  /** The head of a field, one of `ThriftType` other than bool; its value is to follow. */
  field(type: number, id: number): void;
  boolField(id: number, value: boolean): void;
  /** The head of a list; its items are to follow. */
  list(itemType: number, count: number): void;
  i32(value: number): void;
  /** @param value signed or unsigned, as two's complement */
  i64(value: bigint): void;
  double(value: number): void;
  /** A string or binary. */
  string(bytes: Uint8Array): void;
}
