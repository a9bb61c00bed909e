// SPDX-License-Identifier: Apache-2.0
import { AttributeLevel, ValueType } from '@spoor/core/model/attributes.ts';
import { symbolBytes, symbolText } from '@spoor/core/model/span-reader.ts';
import { encodeText } from '@spoor/core/model/utf8.ts';
import { decodeResource, decodeScope } from '@spoor/core/model/value-decoder.ts';
import type { QueryField, QueryLiteral, SpanPredicate } from '@spoor/core/query/trace-query.ts';
import { ALL_GROUPS } from './block-dictionary.ts';
import type { BlockReader } from './block-reader.ts';

/** A text that could also be meant as a number or a boolean. */
const MAYBE_NO_TEXT = /^[-+.0-9tfniTFNI]/;

/**
 * The groups of a block in which a predicate can hold, as bit `g % 32` for group `g`. It may name too many, never too few.
 * Only what the dictionaries' index answers cheaply is looked at: equality of attributes with a text.
 */
export function chooseGroups(reader: BlockReader, predicate: SpanPredicate): number {
  switch (predicate.op) {
    case 'and': {
      let groups = ALL_GROUPS;
      for (const arg of predicate.args) {
        groups = (groups & chooseGroups(reader, arg)) >>> 0;
        if (groups === 0) break;
      }
      return groups;
    }
    case 'or': {
      let groups = 0;
      for (const arg of predicate.args) {
        groups = (groups | chooseGroups(reader, arg)) >>> 0;
        if (groups === ALL_GROUPS) break;
      }
      return groups;
    }
    case 'eq':
      return predicate.field.kind === 'attribute'
        ? groupsWithAttribute(reader, predicate.field, predicate.value)
        : ALL_GROUPS;
    default:
      return ALL_GROUPS;
  }
}

function groupsWithAttribute(
  reader: BlockReader,
  { scope, key }: Extract<QueryField, { kind: 'attribute' }>,
  literal: QueryLiteral,
): number {
  if (literal.type !== 'text' && literal.type !== 'string') return ALL_GROUPS;
  const mayBeNoText = literal.type === 'text' && MAYBE_NO_TEXT.test(literal.value);
  if (scope !== 'span' && scope !== 'event' && scope !== 'link' && hasShared(reader, key)) {
    return ALL_GROUPS;
  }
  const text = encodeText(literal.value);
  const keyCode = findKey(reader, key);
  let groups = 0;
  for (const [id, column] of reader.footer.columns.entries()) {
    if (column.key !== keyCode || !levelMatches(column.level, scope)) continue;
    const { type } = column;
    if (type === ValueType.string && column.pages !== undefined) {
      groups |= reader.dictionary(id).groupsWith(text);
    } else if (type === ValueType.string || type === ValueType.array || mayBeNoText) {
      return ALL_GROUPS;
    }
  }
  return groups >>> 0;
}

function levelMatches(level: AttributeLevel, scope: string): boolean {
  if (level === AttributeLevel.span) return scope === 'span' || scope === 'any';
  if (level === AttributeLevel.event) return scope === 'event' || scope === 'any';
  return level === AttributeLevel.link && scope === 'link';
}

/** Whether a resource or scope of the block has an attribute with this key. */
function hasShared(reader: BlockReader, key: string): boolean {
  const keys = reader.decoded(-1, 'shared keys', SHARED_KEYS_BYTES, () => {
    const found = new Set<string>();
    const resources = reader.table(reader.footer.resources);
    for (let code = 0; code < resources.count; code++) {
      for (const attribute of decodeResource(symbolBytes(resources, code)).attributes) {
        found.add(attribute.key);
      }
    }
    const scopes = reader.table(reader.footer.scopes);
    for (let code = 0; code < scopes.count; code++) {
      for (const attribute of decodeScope(symbolBytes(scopes, code)).attributes) {
        found.add(attribute.key);
      }
    }
    return found;
  });
  return keys.has(key);
}

/** A guess at a few dozen keys. */
const SHARED_KEYS_BYTES = 4096;

/** Code of a key among those of a block, or -1. */
function findKey(reader: BlockReader, key: string): number {
  const keys = reader.table(reader.footer.keys);
  for (let code = 0; code < keys.count; code++) if (symbolText(keys, code) === key) return code;
  return -1;
}
