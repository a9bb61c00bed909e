// SPDX-License-Identifier: Apache-2.0
import { ValueType } from '@spoor/core/model/attributes.ts';
import { decodeText, encodeText } from '@spoor/core/model/utf8.ts';
import { CanonicalWriter, type ScannedValue } from '@spoor/core/wire/otlp/canonical.ts';
import { encodeValue } from '@spoor/core/wire/otlp/encode.ts';
import { ProtoReader } from '@spoor/core/wire/protobuf/reader.ts';
import { ProtoWriter } from '@spoor/core/wire/protobuf/writer.ts';
import { type AttributeSlot, changedValue, givenSlot } from './attribute-slot.ts';

/** Fields of a `ResourceSpans`, of a `Resource`, and of a `KeyValue`. */
const RESOURCE = 1;
const ATTRIBUTE = 1;
const KEY = 1;
const VALUE = 2;

/**
 * Changes the attributes of a resource.
 * @param symbol canonical bytes of a `ResourceSpans` without scope spans; they are not changed
 * @param apply gives the new list of attributes; the same one when nothing changes
 * @returns undefined when nothing changes
 */
export function editResource(
  symbol: Uint8Array,
  apply: (slots: readonly AttributeSlot[]) => readonly AttributeSlot[],
): Uint8Array | undefined {
  const { slots, values, rest, afterResource } = readResource(symbol);
  const edited = apply(slots);
  if (edited === slots || edited.length + slots.length === 0) return undefined;
  const writer = new ProtoWriter(symbol.length + 64);
  const resource = writer.begin(RESOURCE);
  for (const slot of edited) {
    const given = slot.from < 0 ? slot.value : values[slot.from]!;
    const attribute = writer.begin(ATTRIBUTE);
    if (slot.key !== '') writer.bytesField(KEY, encodeText(slot.key));
    if (slot.type !== ValueType.absent) {
      const value = writer.begin(VALUE);
      encodeValue(writer, slot.type, changedValue(slot, given, 0, given.length));
      writer.end(value);
    }
    writer.end(attribute);
  }
  writer.raw(rest);
  writer.end(resource);
  writer.raw(symbol, afterResource);
  const bytes = writer.toBytes();
  // Such as a redaction that found nothing.
  return Buffer.compare(bytes, symbol) === 0 ? undefined : bytes;
}

interface ResourceParts {
  readonly slots: readonly AttributeSlot[];
  /** Canonical bytes of the value of each attribute. */
  readonly values: readonly Uint8Array[];
  /** Fields of the `Resource` behind its attributes. */
  readonly rest: Uint8Array;
  /** Where the `ResourceSpans` goes on. */
  readonly afterResource: number;
}

function readResource(symbol: Uint8Array): ResourceParts {
  const slots: AttributeSlot[] = [];
  const values: Uint8Array[] = [];
  const reader = new ProtoReader('resource', symbol);
  const hasResource = symbol.length > 0 && reader.tag(symbol.length) >>> 3 === RESOURCE;
  if (!hasResource) return { slots, values, rest: symbol.subarray(0, 0), afterResource: 0 };
  const end = reader.length(symbol.length) + reader.position;
  const canonical = new CanonicalWriter();
  let restStart = reader.position;
  // Canonical: the attributes come first.
  while (reader.position < end && reader.tag(end) >>> 3 === ATTRIBUTE) {
    const attributeEnd = reader.length(end) + reader.position;
    const scanned: ScannedValue = { type: ValueType.absent, bytes: symbol, start: 0, end: 0 };
    let key = '';
    while (reader.position < attributeEnd) {
      const field = reader.tag(attributeEnd) >>> 3;
      const fieldEnd = reader.length(attributeEnd) + reader.position;
      if (field === KEY) key = decodeText(symbol, reader.position, fieldEnd);
      else canonical.scanValue(reader, fieldEnd, scanned);
      reader.position = fieldEnd;
    }
    slots.push(givenSlot(key, scanned.type, slots.length));
    values.push(scanned.bytes.slice(scanned.start, scanned.end));
    restStart = reader.position = attributeEnd;
  }
  return { slots, values, rest: symbol.subarray(restStart, end), afterResource: end };
}
