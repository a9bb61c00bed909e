// SPDX-License-Identifier: Apache-2.0
import thrift, { type ProtocolWriter } from 'thrift';
import { ThriftType } from '../thrift-reader.ts';

/** A value for Apache Thrift's own library to write. */
export type ThriftValue =
  | { readonly type: 'bool'; readonly value: boolean }
  | { readonly type: 'byte' | 'i16' | 'i32' | 'double'; readonly value: number }
  | { readonly type: 'i64'; readonly value: bigint }
  | { readonly type: 'string'; readonly value: Uint8Array }
  | { readonly type: 'struct'; readonly value: readonly ThriftField[] }
  | {
      readonly type: 'list' | 'set';
      readonly item: ItemType;
      readonly value: readonly ThriftValue[];
    }
  | {
      readonly type: 'map';
      readonly key: ItemType;
      readonly item: ItemType;
      readonly value: readonly (readonly [ThriftValue, ThriftValue])[];
    };

/** A field of a struct: its id and value. */
export type ThriftField = readonly [id: number, value: ThriftValue];

type ItemType = ThriftValue['type'];

/** The protocols that the library writes. */
export const PROTOCOLS = ['binary', 'compact'] as const;
export type Protocol = (typeof PROTOCOLS)[number];

/** Bytes of a struct without a message around it. */
export function encodeStruct(protocol: Protocol, fields: readonly ThriftField[]): Uint8Array {
  return encode(protocol, (writer) => writeStruct(writer, fields));
}

/** Bytes of a list without anything around it. */
export function encodeList(
  protocol: Protocol,
  item: ItemType,
  values: readonly ThriftValue[],
): Uint8Array {
  return encode(protocol, (writer) => writeValue(writer, { type: 'list', item, value: values }));
}

/** Bytes of a message that calls a method. */
export function encodeMessage(
  protocol: Protocol,
  name: string,
  fields: readonly ThriftField[],
  type = 4,
): Uint8Array {
  return encode(protocol, (writer) => {
    writer.writeMessageBegin(name, type, 7);
    writeStruct(writer, fields);
  });
}

/** A text as a value. */
export function text(value: string): ThriftValue {
  return { type: 'string', value: new TextEncoder().encode(value) };
}

function encode(protocol: Protocol, write: (writer: ProtocolWriter) => void): Uint8Array {
  let all = Buffer.alloc(0);
  const transport = new thrift.TBufferedTransport(undefined, (bytes) => {
    all = Buffer.concat([all, bytes]);
  });
  const Writer = protocol === 'binary' ? thrift.TBinaryProtocol : thrift.TCompactProtocol;
  write(new Writer(transport));
  transport.flush();
  return new Uint8Array(all);
}

function writeStruct(writer: ProtocolWriter, fields: readonly ThriftField[]): void {
  writer.writeStructBegin('');
  for (const [id, value] of fields) {
    writer.writeFieldBegin('f', ThriftType[value.type], id);
    writeValue(writer, value);
    writer.writeFieldEnd();
  }
  writer.writeFieldStop();
  writer.writeStructEnd();
}

function writeValue(writer: ProtocolWriter, value: ThriftValue): void {
  switch (value.type) {
    case 'bool':
      writer.writeBool(value.value);
      return;
    case 'byte':
      writer.writeByte(value.value);
      return;
    case 'i16':
      writer.writeI16(value.value);
      return;
    case 'i32':
      writer.writeI32(value.value);
      return;
    case 'double':
      writer.writeDouble(value.value);
      return;
    case 'i64': {
      const bytes = Buffer.alloc(8);
      bytes.writeBigInt64BE(value.value);
      writer.writeI64(new thrift.Int64(bytes));
      return;
    }
    case 'string':
      writer.writeBinary(Buffer.from(value.value));
      return;
    case 'struct':
      writeStruct(writer, value.value);
      return;
    case 'list':
    case 'set': {
      const type = ThriftType[value.item];
      if (value.type === 'list') writer.writeListBegin(type, value.value.length);
      else writer.writeSetBegin(type, value.value.length);
      for (const item of value.value) writeValue(writer, item);
      return;
    }
    case 'map':
      writer.writeMapBegin(ThriftType[value.key], ThriftType[value.item], value.value.length);
      for (const [key, item] of value.value) {
        writeValue(writer, key);
        writeValue(writer, item);
      }
  }
}
