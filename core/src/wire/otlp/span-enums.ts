// SPDX-License-Identifier: Apache-2.0
import { AttributeLevel } from '#model/attributes.ts';
import type { BatchBuilder } from '#model/batch-builder.ts';
import { IN_FIELD, StatusByte } from '#model/span-columns.ts';
import { KIND, STATUS_CODE } from './field-keys.ts';
import { addIntField } from './int-field.ts';

/** Code of the status of a span that was sent none. */
export const NO_STATUS = -1;

/**
 * Gives the row under way its kind and status. Numbers that do not fit the columns become fields, sign-extended: enums are int32.
 * @param kind 32 bits, unsigned
 * @param code of the status, 32 bits, unsigned, or {@link NO_STATUS}
 */
export function setKindAndStatus(
  builder: BatchBuilder,
  row: number,
  kind: number,
  code: number,
): void {
  if (kind < IN_FIELD) builder.kind[row] = kind;
  else {
    builder.kind[row] = IN_FIELD;
    addIntField(builder, AttributeLevel.spanField, KIND, kind, kind >> 31);
  }
  if (code === NO_STATUS) builder.status[row] = StatusByte.notSent;
  else if (code + 1 < IN_FIELD) builder.status[row] = code + 1;
  else {
    builder.status[row] = IN_FIELD;
    addIntField(builder, AttributeLevel.spanField, STATUS_CODE, code, code >> 31);
  }
}
