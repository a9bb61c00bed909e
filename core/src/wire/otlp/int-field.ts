// SPDX-License-Identifier: Apache-2.0
import { type AttributeLevel, ValueType } from '#model/attributes.ts';
import type { BatchBuilder } from '#model/batch-builder.ts';
import { writeInt64 } from './canonical.ts';

const scalar = new Uint8Array(8);

/** Adds a number of 64 bits as a field. */
export function addIntField(
  builder: BatchBuilder,
  level: AttributeLevel,
  key: Uint8Array,
  lo: number,
  hi: number,
): void {
  writeInt64(scalar, lo, hi);
  builder.attribute(level, ValueType.int, key, 0, key.length, scalar, 0, 8);
}
