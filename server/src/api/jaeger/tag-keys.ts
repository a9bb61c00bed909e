// SPDX-License-Identifier: Apache-2.0
import { isAscii } from 'node:buffer';
import { AttributeLevel, FIELD_KEYS, ValueType } from '@spoor/core/model/attributes.ts';
import type { SymbolTable } from '@spoor/core/model/span-columns.ts';
import { isField, symbolText, VALUE_TYPE_NAMES } from '@spoor/core/model/span-reader.ts';
import { FLAGS_KEY, WARNINGS_KEY } from '@spoor/core/wire/jaeger/jaeger-span.ts';
import { compareCodePoints } from '@spoor/core/query/code-point-order.ts';
import { mayBeAddress, TYPE_ORDER } from './adjust-span.ts';
import { type JaegerKeyValue, tagType } from './jaeger-key-value.ts';

/** The fields that are shown as tags; others are not shown. */
const FIELD_TAGS: ReadonlyMap<string, string> = new Map([
  [FIELD_KEYS.statusMessage, 'otel.status_description'],
  [FIELD_KEYS.traceState, 'w3c.tracestate'],
]);

/** Keys of tags that are made of what is no attribute. */
const MADE_KEYS: readonly string[] = [
  ...FIELD_TAGS.values(),
  'otel.scope.name',
  'otel.scope.version',
  'span.kind',
  'otel.status_code',
  'error',
];

/** Attributes of a span that become something else than tags. */
const TAKEN_KEYS: readonly string[] = [FLAGS_KEY, WARNINGS_KEY];

/** Keys that are kept, and their characters: what is kept of them takes some 2 MB at most. */
const MAX_KEPT = 2048;
const MAX_KEPT_CHARACTERS = 128 << 10;

/** How the attributes of a column are shown. */
export interface TagColumn {
  readonly type: ValueType;
  /** The tag up to its value. */
  readonly begin: string;
  readonly order: number;
  /** Not at all. */
  readonly isHidden: boolean;
  /** Otherwise than as tags, so the span is left to others. */
  readonly isTaken: boolean;
  /** Left out where it is empty. */
  readonly isField: boolean;
  /** Says itself that the span failed if it is true. */
  readonly isError: boolean;
}

/** A key of attributes. */
interface TagKey {
  readonly text: string;
  /** Those that were asked for, by level and type. */
  readonly columns: (TagColumn | undefined)[];
}

/** Keys of tags in their order, so that what takes a comparison of texts is done once. */
export class TagKeys {
  readonly #rankOf: ReadonlyMap<string, number>;
  readonly #keys: ReadonlyMap<string, TagKey>;

  /** @param texts the keys of attributes; those that are made of something else are there anyway */
  constructor(texts: Iterable<string>) {
    const sorted = [...new Set([...texts, ...MADE_KEYS])].sort(compareCodePoints);
    this.#rankOf = new Map(sorted.map((text, rank) => [text, rank]));
    this.#keys = new Map(sorted.map((text) => [text, { text, columns: [] }]));
  }

  /** All of them. */
  texts(): Iterable<string> {
    return this.#keys.keys();
  }

  /** The keys with these texts; undefined where one is not there. */
  find(texts: readonly string[]): TagKey[] | undefined {
    const found: TagKey[] = [];
    for (const text of texts) {
      const key = this.#keys.get(text);
      if (key === undefined) return undefined;
      found.push(key);
    }
    return found;
  }

  /** The order of tags as a number. @param key one of these */
  order(key: string, type: JaegerKeyValue['type']): number {
    return this.#rankOf.get(key)! * TYPE_ORDER.length + TYPE_ORDER.indexOf(type);
  }

  /** @param key one that was found here */
  column({ text, columns }: TagKey, level: AttributeLevel, type: ValueType): TagColumn {
    return (columns[level * VALUE_TYPE_NAMES.length + type] ??= this.#column(text, level, type));
  }

  #column(stored: string, level: AttributeLevel, type: ValueType): TagColumn {
    const fieldKey = isField(level) ? FIELD_TAGS.get(stored) : undefined;
    const key = fieldKey ?? stored;
    const tag = tagType(VALUE_TYPE_NAMES[type]!);
    return {
      type,
      begin: `{"key":${JSON.stringify(key)},"type":"${tag}","value":`,
      order: this.order(key, tag),
      isHidden: isField(level) && (fieldKey === undefined || type !== ValueType.string),
      isTaken:
        level === AttributeLevel.event
          ? key === 'event'
          : level === AttributeLevel.span &&
            (TAKEN_KEYS.includes(key) || (mayBeAddress(key) && isNumber(type))),
      isField: isField(level),
      isError: key === 'error' && (type === ValueType.bool || type === ValueType.string),
    };
  }
}

/** The keys of answers before, which are most often those of the next as well. */
export class KeptTagKeys {
  #keys = new TagKeys([]);

  /** Keys with those of a table among them, and these by code. */
  of(table: SymbolTable): { readonly keys: TagKeys; readonly found: readonly TagKey[] } {
    const texts = textsOf(table);
    const known = this.#keys.find(texts);
    if (known !== undefined) return { keys: this.#keys, found: known };
    // A part of a text holds all of it.
    const own = Array.from(texts, (_, code) => symbolText(table, code));
    const all = [...this.#keys.texts(), ...own];
    const some = areFew(all) ? all : own;
    const keys = new TagKeys(some);
    if (areFew(some)) this.#keys = keys;
    return { keys, found: keys.find(texts)! };
  }
}

function areFew(texts: readonly string[]): boolean {
  return (
    texts.length <= MAX_KEPT &&
    texts.reduce((sum, { length }) => sum + length, 0) <= MAX_KEPT_CHARACTERS
  );
}

/** All texts of a table. */
function textsOf(table: SymbolTable): string[] {
  const { count, offsets, bytes } = table;
  const { buffer, byteOffset, byteLength } = bytes;
  // Parts of one text take less time than to make each.
  const whole = isAscii(bytes)
    ? Buffer.from(buffer, byteOffset, byteLength).toString('latin1')
    : undefined;
  return Array.from(
    { length: count },
    (_, code) => whole?.slice(offsets[code], offsets[code + 1]) ?? symbolText(table, code),
  );
}

function isNumber(type: ValueType): boolean {
  return type === ValueType.int || type === ValueType.double;
}
