// SPDX-License-Identifier: Apache-2.0
import type { AttributeValue } from '#model/attributes.ts';
import { formatDouble } from '#wire/otlp/json-double.ts';

/** A value as the text that stands for it in formats whose tags are texts: lists and maps are JSON, bytes base64. */
export function valueText(value: AttributeValue): string {
  switch (value.type) {
    case 'string':
      return value.value;
    case 'double':
      return Object.is(value.value, -0) ? '-0' : String(value.value);
    case 'bool':
    case 'int':
      return String(value.value);
    case 'bytes':
      return value.value.toBase64();
    case 'array':
    case 'kvlist':
      return JSON.stringify(plainValue(value));
    case 'absent':
    case 'empty':
      return '';
  }
}

/** An integer as a value for `JSON.stringify`: JavaScript's readers cannot hold more than 53 bits in a number. */
export function plainInt(value: bigint): number | string {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : String(value);
}

/** A value as one for `JSON.stringify`. The depth is bounded where spans are decoded. */
export function plainValue(value: AttributeValue): unknown {
  switch (value.type) {
    case 'array':
      return value.value.map(plainValue);
    case 'kvlist':
      // Of equal keys the last wins, as when such a text is parsed.
      return Object.fromEntries(value.value.map((entry) => [entry.key, plainValue(entry.value)]));
    case 'int':
      return plainInt(value.value);
    case 'double':
      return formatDouble(value.value);
    case 'bytes':
      return value.value.toBase64();
    case 'absent':
    case 'empty':
      return null;
    default:
      return value.value;
  }
}
