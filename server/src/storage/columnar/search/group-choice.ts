// SPDX-License-Identifier: Apache-2.0
import { AttributeLevel, ValueType } from '@spoor/core/model/attributes.ts';
import { symbolBytes } from '@spoor/core/model/span-reader.ts';
import { findSymbol } from '@spoor/core/query/attribute-node.ts';
import { encodeText } from '@spoor/core/model/utf8.ts';
import { decodeResource, decodeScope } from '@spoor/core/model/value-decoder.ts';
import type { QueryField, QueryLiteral, SpanPredicate } from '@spoor/core/query/trace-query.ts';
import { isOnlyText } from '@spoor/core/query/value-test.ts';
import { ALL_GROUPS } from '../block/block-dictionary.ts';
import type { BlockReader } from '../block/block-reader.ts';
import { decodeCodes } from '../block/chunk-codec.ts';
import { FrameScratch } from '../block/frame-scratch.ts';

/** The groups of a block in which something can be. It may name too many, never too few. */
export interface BlockChoice {
  /** Bit `g % 32` for group `g`. */
  readonly groups: number;
  /** Whether it can be in a group that `groups` names, as the codes there tell. */
  mayBeIn(g: number): boolean;
}

/** Chooses groups of a block. */
export type GroupChoice = (reader: BlockReader) => BlockChoice;

/** No group at all. */
export const NOWHERE: BlockChoice = { groups: 0, mayBeIn: () => false };

const EVERYWHERE: BlockChoice = { groups: ALL_GROUPS, mayBeIn: () => true };

const everyGroup: GroupChoice = () => EVERYWHERE;

/**
 * Finds the groups in which a predicate can hold. Only what the dictionaries' index answers cheaply is looked at: equality of
 * attributes with a text.
 */
export function compileGroupChoice(predicate: SpanPredicate): GroupChoice {
  switch (predicate.op) {
    case 'and': {
      const choices = predicate.args.map(compileGroupChoice);
      return (reader) => {
        const all: BlockChoice[] = [];
        let groups = ALL_GROUPS;
        for (const choose of choices) {
          const one = choose(reader);
          all.push(one);
          groups = (groups & one.groups) >>> 0;
          if (groups === 0) break;
        }
        return { groups, mayBeIn: (g) => all.every((one) => one.mayBeIn(g)) };
      };
    }
    case 'or': {
      const choices = predicate.args.map(compileGroupChoice);
      return (reader) => {
        const some: BlockChoice[] = [];
        let groups = 0;
        for (const choose of choices) {
          const one = choose(reader);
          some.push(one);
          groups = (groups | one.groups) >>> 0;
        }
        return { groups, mayBeIn: (g) => some.some((one) => isNamed(one, g) && one.mayBeIn(g)) };
      };
    }
    case 'eq':
      return predicate.field.kind === 'attribute'
        ? choiceByAttribute(predicate.field, predicate.value)
        : everyGroup;
    default:
      return everyGroup;
  }
}

/** Whether group `g` is one of those that a choice has by the index. */
export function isNamed({ groups }: Pick<BlockChoice, 'groups'>, g: number): boolean {
  return (groups & (1 << (g & 31))) !== 0;
}

function choiceByAttribute(
  { scope, key }: Extract<QueryField, { kind: 'attribute' }>,
  literal: QueryLiteral,
): GroupChoice {
  if (literal.type !== 'text' && literal.type !== 'string') return everyGroup;
  const mayBeNoText = !isOnlyText(literal);
  const mayBeShared = scope !== 'span' && scope !== 'event' && scope !== 'link';
  const sought = { scope, key: encodeText(key), text: encodeText(literal.value), mayBeNoText };
  // As its bytes say it: it is compared with others here.
  const sharedKey = key.toWellFormed();
  return (reader) =>
    mayBeShared && hasShared(reader, sharedKey) ? EVERYWHERE : choiceByText(reader, sought);
}

/** An attribute with a text. */
interface SoughtText {
  readonly scope: string;
  readonly key: Uint8Array;
  readonly text: Uint8Array;
  /** Whether a number or a boolean may be written so. */
  readonly mayBeNoText: boolean;
}

function choiceByText(
  reader: BlockReader,
  { scope, key, text, mayBeNoText }: SoughtText,
): BlockChoice {
  const keyCode = findSymbol(reader.table(reader.footer.keys), key);
  const { columns } = reader.footer;
  const places: EntryPlace[] = [];
  let groups = 0;
  for (let column = 0; column < columns.length; column++) {
    if (columns.key(column) !== keyCode || !levelMatches(columns.level(column), scope)) continue;
    const type = columns.type(column);
    if (type === ValueType.string && !columns.isPlain(column)) {
      const dictionary = reader.dictionary(column);
      const entry = dictionary.find(text);
      if (entry < 0) continue;
      places.push({ column, entry });
      groups |= dictionary.groupsOf(entry);
    } else if (type === ValueType.string || type === ValueType.array || mayBeNoText) {
      return EVERYWHERE;
    }
  }
  return {
    groups: groups >>> 0,
    mayBeIn: (g) => places.some((place) => isInGroup(reader, g, place)),
  };
}

/** An entry of a column's dictionary. */
interface EntryPlace {
  readonly column: number;
  readonly entry: number;
}

/**
 * Whether a group has an entry. The codes are kept as groups of rows keep them, but not the frame that they share with others, unless the
 * cache has room: in most groups nothing else is looked at, and a hundred of them would push out all there is.
 */
function isInGroup(reader: BlockReader, g: number, { column, entry }: EntryPlace): boolean {
  const { columns } = reader.footer.groups[g]!;
  const part = columns.find(column);
  if (part < 0) return false;
  const count = columns.count(part);
  const codes = reader.decoded(g, `column ${column}`, count * 4, () => {
    try {
      return decodeCodes(reader.chunk(columns.chunk(part), scratch), count);
    } finally {
      scratch.clear();
    }
  });
  return codes.includes(entry);
}

/** Of this thread: nothing stays in it. */
const scratch = new FrameScratch();

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
export function equalText(predicate: SpanPredicate, name: 'service' | 'name'): string | undefined {
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
  // As its bytes say it: a text is compared with others here.
  return value.type === 'string' || value.type === 'text' ? value.value.toWellFormed() : undefined;
}
