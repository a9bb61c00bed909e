// SPDX-License-Identifier: Apache-2.0
import { hash } from 'node:crypto';
import { ValueType } from '@spoor/core/model/attributes.ts';
import { encodeText } from '@spoor/core/model/utf8.ts';
import type { ValueChange } from './attribute-slot.ts';

/**
 * The SHA-256 of a value in place of it, as 64 hexadecimal digits: of the text, of a number's 8 bytes in little endian, of
 * one byte for a boolean. That is what the OpenTelemetry collector hashes, so both give the same.
 */
export const HASH: ValueChange = {
  typeAfter(type) {
    const isNothing = type === ValueType.absent || type === ValueType.empty;
    return isNothing ? undefined : ValueType.string;
  },
  change(_type, bytes, start, end) {
    return encodeText(hash('sha256', bytes.subarray(start, end), 'hex'));
  },
};
