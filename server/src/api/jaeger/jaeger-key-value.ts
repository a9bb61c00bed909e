// SPDX-License-Identifier: Apache-2.0
import type { Attribute, AttributeValue } from '@spoor/core/model/attributes.ts';
import { formatDouble } from '#api/json-number.ts';

/** A tag or log field as Jaeger's JSON has it. */
export interface JaegerKeyValue {
  readonly key: string;
  readonly type: 'string' | 'bool' | 'int64' | 'float64' | 'binary';
  readonly value: unknown;
}

/** A string tag. */
export function stringTag(key: string, value: string): JaegerKeyValue {
  return { key, type: 'string', value };
}

/** A tag of an attribute; Jaeger has no lists and maps, so they are JSON texts. */
export function keyValueOf({ key, value }: Attribute): JaegerKeyValue {
  switch (value.type) {
    case 'string':
      return { key, type: 'string', value: value.value };
    case 'bool':
      return { key, type: 'bool', value: value.value };
    case 'int':
      return { key, type: 'int64', value: jsonInt(value.value) };
    case 'double':
      return { key, type: 'float64', value: formatDouble(value.value) };
    case 'bytes':
      return { key, type: 'binary', value: value.value.toBase64() };
    case 'array':
    case 'kvlist':
      return { key, type: 'string', value: JSON.stringify(plainValue(value)) };
    case 'absent':
    case 'empty':
      return { key, type: 'string', value: '' };
  }
}

// JavaScript clients cannot hold more than 53 bits in a number.
function jsonInt(value: bigint): number | string {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : String(value);
}

// The depth is bounded where spans are decoded.
function plainValue(value: AttributeValue): unknown {
  switch (value.type) {
    case 'array':
      return value.value.map(plainValue);
    case 'kvlist':
      // Of equal keys the last wins, as when such a text is parsed.
      return Object.fromEntries(value.value.map((entry) => [entry.key, plainValue(entry.value)]));
    case 'int':
      return jsonInt(value.value);
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
