// SPDX-License-Identifier: Apache-2.0
import { AttributeLevel, ValueType } from '#model/attributes.ts';
import type { BatchBuilder } from '#model/batch-builder.ts';
import { IN_FIELD, StatusByte } from '#model/span-columns.ts';
import { writeInt64 } from './canonical.ts';
import { KIND, STATUS_CODE } from './field-keys.ts';

/** Code of the status of a span that was sent none. */
export const NO_STATUS = -1;

/** Gives rows their kind and status. Numbers that do not fit the columns become fields, sign-extended: enums are int32. */
export class SpanEnums {
  readonly #scalar = new Uint8Array(8);

  /**
   * Sets both of the row under way.
   * @param kind 32 bits, unsigned
   * @param code of the status, 32 bits, unsigned, or {@link NO_STATUS}
   */
  set(builder: BatchBuilder, row: number, kind: number, code: number): void {
    if (kind < IN_FIELD) builder.kind[row] = kind;
    else {
      builder.kind[row] = IN_FIELD;
      this.#field(builder, KIND, kind);
    }
    if (code === NO_STATUS) builder.status[row] = StatusByte.notSent;
    else if (code + 1 < IN_FIELD) builder.status[row] = code + 1;
    else {
      builder.status[row] = IN_FIELD;
      this.#field(builder, STATUS_CODE, code);
    }
  }

  #field(builder: BatchBuilder, key: Uint8Array, value: number): void {
    const scalar = this.#scalar;
    writeInt64(scalar, value, value >> 31);
    builder.attribute(AttributeLevel.spanField, ValueType.int, key, 0, key.length, scalar, 0, 8);
  }
}
