// SPDX-License-Identifier: Apache-2.0
import type { Attribute, AttributeValue } from '@spoor/core/model/attributes.ts';
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

/** A tag of an attribute. */
export function keyValueOf({ key, value }: Attribute): JaegerKeyValue {
  return { key, type: tagType(value.type), value: tagValue(value) };
}

/** Type of the tag for a value; Jaeger has no lists and maps, so they are JSON texts. */
export function tagType(type: AttributeValue['type']): JaegerKeyValue['type'] {
  switch (type) {
    case 'bool':
      return 'bool';
    case 'int':
      return 'int64';
    case 'double':
      return 'float64';
    case 'bytes':
      return 'binary';
    default:
      return 'string';
  }
}

/** What stands in the tag for a value. */
export function tagValue(value: AttributeValue): unknown {
  switch (value.type) {
    case 'bool':
      return value.value;
    case 'int':
      return plainInt(value.value);
    case 'double':
      return formatDouble(value.value);
    case 'bytes':
      return value.value.toBase64();
    default:
      return valueText(value);
  }
}
