// SPDX-License-Identifier: Apache-2.0
import { AttributeLevel, ValueType } from '@spoor/core/model/attributes.ts';
import { symbolBytes } from '@spoor/core/model/span-reader.ts';
import { findSymbol } from '@spoor/core/query/attribute-node.ts';
import { encodeText } from '@spoor/core/model/utf8.ts';
import { decodeResource, decodeScope } from '@spoor/core/model/value-decoder.ts';
import type { QueryField, QueryLiteral, SpanPredicate } from '@spoor/core/query/trace-query.ts';
import { ALL_GROUPS } from '../block/block-dictionary.ts';
import type { BlockReader } from '../block/block-reader.ts';

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
  const keyCode = findSymbol(reader.table(reader.footer.keys), encodeText(key));
  let groups = 0;
  const { columns } = reader.footer;
  for (let id = 0; id < columns.length; id++) {
    if (columns.key(id) !== keyCode || !levelMatches(columns.level(id), scope)) continue;
    const type = columns.type(id);
    if (type === ValueType.string && !columns.isPlain(id)) {
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

/**
 * The groups of a block that have a span of the service and with the name that a predicate asks for, as 1 for each; undefined where
 * it asks for neither, or the block does not tell.
 */
export function groupsOfOperations(
  reader: BlockReader,
  predicate: SpanPredicate,
): Uint8Array | undefined {
  const service = equalText(predicate, 'service');
  const name = equalText(predicate, 'name');
  if (service === undefined && name === undefined) return undefined;
  const { footer } = reader;
  const nameCode =
    name === undefined ? -1 : findSymbol(reader.table(footer.names), encodeText(name));
  const ofService = Uint8Array.from({ length: footer.resources.count }, (_, code) =>
    service === undefined || reader.serviceName(code) === service ? 1 : 0,
  );
  const { resource, name: names, inGroups, list } = reader.operations();
  const found = new Uint8Array(footer.groups.length);
  for (let i = 0, at = 0; i < names.length; at += inGroups[i++]!) {
    if (ofService[resource[i]!] !== 1 || (name !== undefined && names[i] !== nameCode)) continue;
    if (inGroups[i] === 0) return undefined;
    for (let k = 0; k < inGroups[i]!; k++) found[list[at + k]!] = 1;
  }
  return found;
}

/** The text that every span that meets a predicate has as its service or name; undefined where it does not say. */
function equalText(predicate: SpanPredicate, name: 'service' | 'name'): string | undefined {
  if (predicate.op === 'and') {
    for (const arg of predicate.args) {
      const text = equalText(arg, name);
      if (text !== undefined) return text;
    }
    return undefined;
  }
  if (predicate.op !== 'eq') return undefined;
  const { field, value } = predicate;
  if (field.kind !== 'intrinsic' || field.name !== name) return undefined;
  return value.type === 'string' || value.type === 'text' ? value.value : undefined;
}
