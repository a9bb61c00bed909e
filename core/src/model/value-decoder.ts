// SPDX-License-Identifier: Apache-2.0
import { ProtoReader } from '#wire/protobuf/reader.ts';
import { type Attribute, type AttributeValue, ValueType } from './attributes.ts';
import type { Resource, Scope } from './span.ts';
import { decodeText } from './utf8.ts';

/** Value of canonical bytes `bytes[start, end)`; see `ValueType` for what they are. */
export function decodeValue(
  type: ValueType,
  bytes: Uint8Array,
  start: number,
  end: number,
): AttributeValue {
  switch (type) {
    case ValueType.absent:
      return ABSENT;
    case ValueType.empty:
      return EMPTY_VALUE;
    case ValueType.string:
      return { type: 'string', value: decodeText(bytes, start, end) };
    case ValueType.bool:
      return { type: 'bool', value: bytes[start] === 1 };
    case ValueType.int:
      return { type: 'int', value: view(bytes).getBigInt64(start, true) };
    case ValueType.double:
      return { type: 'double', value: view(bytes).getFloat64(start, true) };
    case ValueType.bytes:
      return { type: 'bytes', value: bytes.slice(start, end) };
    case ValueType.array:
      return { type: 'array', value: decodeArray(readerAt(bytes, start), end) };
    case ValueType.kvlist:
      return { type: 'kvlist', value: decodeKeyValues(readerAt(bytes, start), end) };
  }
}

/** Resource of a symbol: `ResourceSpans` without scope spans. */
export function decodeResource(symbol: Uint8Array): Resource {
  const attributes: Attribute[] = [];
  let present = false;
  let droppedAttributesCount = 0;
  let schemaUrl = '';
  const reader = new ProtoReader('resource', symbol);
  while (reader.position < symbol.length) {
    const tag = reader.tag(symbol.length);
    const end = reader.length(symbol.length) + reader.position;
    if (tag === 26) {
      schemaUrl = decodeText(symbol, reader.position, end);
      reader.position = end;
    } else {
      present = true;
      while (reader.position < end) {
        const field = reader.tag(end);
        if (field === 10) attributes.push(decodeKeyValue(reader, end));
        else if (field === 16) droppedAttributesCount = reader.varint32(end);
        else reader.skip(field, end);
      }
    }
  }
  const service = attributes.findLast(({ key }) => key === 'service.name')?.value;
  const serviceName = service?.type === 'string' ? service.value : '';
  return { present, serviceName, attributes, droppedAttributesCount, schemaUrl };
}

/** Scope of a symbol: `ScopeSpans` without spans. */
export function decodeScope(symbol: Uint8Array): Scope {
  const attributes: Attribute[] = [];
  let present = false;
  let name = '';
  let version = '';
  let droppedAttributesCount = 0;
  let schemaUrl = '';
  const reader = new ProtoReader('scope', symbol);
  while (reader.position < symbol.length) {
    const tag = reader.tag(symbol.length);
    const end = reader.length(symbol.length) + reader.position;
    if (tag === 26) {
      schemaUrl = decodeText(symbol, reader.position, end);
      reader.position = end;
    } else {
      present = true;
      while (reader.position < end) {
        const field = reader.tag(end);
        if (field === 10) name = text(reader, end);
        else if (field === 18) version = text(reader, end);
        else if (field === 26) attributes.push(decodeKeyValue(reader, end));
        else if (field === 32) droppedAttributesCount = reader.varint32(end);
        else reader.skip(field, end);
      }
    }
  }
  return { present, name, version, attributes, droppedAttributesCount, schemaUrl };
}

const ABSENT: AttributeValue = { type: 'absent' };
const EMPTY_VALUE: AttributeValue = { type: 'empty' };

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function readerAt(bytes: Uint8Array, start: number): ProtoReader {
  const reader = new ProtoReader('value', bytes);
  reader.position = start;
  return reader;
}

function text(reader: ProtoReader, end: number): string {
  const stop = reader.length(end) + reader.position;
  const value = decodeText(reader.bytes, reader.position, stop);
  reader.position = stop;
  return value;
}

/** The `KeyValue` whose length comes next. */
function decodeKeyValue(reader: ProtoReader, limit: number): Attribute {
  const end = reader.length(limit) + reader.position;
  let key = '';
  let value = ABSENT;
  while (reader.position < end) {
    if (reader.tag(end) === 10) key = text(reader, end);
    else value = decodeAnyValue(reader, end);
  }
  return { key, value };
}

/** The `AnyValue` whose length comes next. Its depth was capped when it was made canonical. */
function decodeAnyValue(reader: ProtoReader, limit: number): AttributeValue {
  const end = reader.length(limit) + reader.position;
  let value = EMPTY_VALUE;
  while (reader.position < end) {
    const tag = reader.tag(end);
    switch (tag >>> 3) {
      case ValueType.string:
        value = { type: 'string', value: text(reader, end) };
        break;
      case ValueType.bool:
        value = { type: 'bool', value: reader.varint32(end) !== 0 };
        break;
      case ValueType.int:
        reader.varint64(end);
        value = {
          type: 'int',
          value: BigInt.asIntN(64, (BigInt(reader.hi) << 32n) | BigInt(reader.lo)),
        };
        break;
      case ValueType.double:
        value = { type: 'double', value: view(reader.bytes).getFloat64(reader.position, true) };
        reader.position += 8;
        break;
      case ValueType.bytes: {
        const stop = reader.length(end) + reader.position;
        value = { type: 'bytes', value: reader.bytes.slice(reader.position, stop) };
        reader.position = stop;
        break;
      }
      case ValueType.array: {
        const stop = reader.length(end) + reader.position;
        value = { type: 'array', value: decodeArray(reader, stop) };
        break;
      }
      default: {
        const stop = reader.length(end) + reader.position;
        value = { type: 'kvlist', value: decodeKeyValues(reader, stop) };
      }
    }
  }
  return value;
}

function decodeArray(reader: ProtoReader, end: number): AttributeValue[] {
  const values: AttributeValue[] = [];
  while (reader.position < end) {
    reader.tag(end);
    values.push(decodeAnyValue(reader, end));
  }
  return values;
}

function decodeKeyValues(reader: ProtoReader, end: number): Attribute[] {
  const attributes: Attribute[] = [];
  while (reader.position < end) {
    reader.tag(end);
    attributes.push(decodeKeyValue(reader, end));
  }
  return attributes;
}
