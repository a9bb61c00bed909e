// SPDX-License-Identifier: Apache-2.0
import type { Attribute } from '@spoor/core/model/attributes.ts';
import { plainInt, valueText } from '@spoor/core/wire/mapping/value-text.ts';
import { formatDouble } from '@spoor/core/wire/otlp/json-double.ts';

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
    case 'bool':
      return { key, type: 'bool', value: value.value };
    case 'int':
      return { key, type: 'int64', value: plainInt(value.value) };
    case 'double':
      return { key, type: 'float64', value: formatDouble(value.value) };
    case 'bytes':
      return { key, type: 'binary', value: value.value.toBase64() };
    default:
      return { key, type: 'string', value: valueText(value) };
  }
}
