// SPDX-License-Identifier: Apache-2.0
import { create, createFileRegistry, type DescMessage } from '@bufbuild/protobuf';
import {
  type DescriptorProto,
  DescriptorProtoSchema,
  FieldDescriptorProto_Label as Label,
  FieldDescriptorProto_Type as Type,
  FileDescriptorProtoSchema,
  file_google_protobuf_duration,
  file_google_protobuf_timestamp,
} from '@bufbuild/protobuf/wkt';

const SCALARS: Readonly<Record<string, Type>> = {
  string: Type.STRING,
  bytes: Type.BYTES,
  bool: Type.BOOL,
  uint32: Type.UINT32,
  int64: Type.INT64,
  fixed32: Type.FIXED32,
  fixed64: Type.FIXED64,
  double: Type.DOUBLE,
};

const IMPORTED = [file_google_protobuf_duration, file_google_protobuf_timestamp];

/**
 * Messages for the official library, which is the oracle for our own codecs.
 * @param messages fields of each, as `name number type`, with a `*` where they are repeated and a `|` where they are members
 * of the oneof `value`. A type is a scalar, the name of a message, `enum:` and the name of an enum, or one of
 * `google.protobuf.Timestamp` and `Duration`.
 * @param enums names of the values of each, from 0 on
 */
export function messageRegistry(
  messages: Readonly<Record<string, string>>,
  enums: Readonly<Record<string, readonly string[]>>,
): (name: string) => DescMessage {
  const registry = createFileRegistry(
    create(FileDescriptorProtoSchema, {
      name: 'test.proto',
      package: 'test',
      syntax: 'proto3',
      dependency: IMPORTED.map(({ proto }) => proto.name),
      messageType: Object.entries(messages).map(([name, fields]) => message(name, fields)),
      enumType: Object.entries(enums).map(([name, values]) => ({
        name,
        value: values.map((value, number) => ({ name: value, number })),
      })),
    }),
    (name) => IMPORTED.find(({ proto }) => proto.name === name),
  );
  return (name) => registry.getMessage(`test.${name}`)!;
}

function message(name: string, fields: string): DescriptorProto {
  return create(DescriptorProtoSchema, {
    name,
    oneofDecl: fields.includes('|') ? [{ name: 'value' }] : [],
    field: fields.split(/,\s*/).map((text) => {
      const [fieldName, number, type] = text.split(' ');
      const bare = type!.replace(/[*|]$/, '').replace('enum:', '');
      return {
        name: fieldName!,
        jsonName: fieldName!.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()),
        number: Number(number),
        label: type!.endsWith('*') ? Label.REPEATED : Label.OPTIONAL,
        type: SCALARS[bare] ?? (type!.startsWith('enum:') ? Type.ENUM : Type.MESSAGE),
        ...(bare in SCALARS
          ? {}
          : { typeName: bare.startsWith('google.') ? `.${bare}` : `.test.${bare}` }),
        ...(type!.endsWith('|') ? { oneofIndex: 0 } : {}),
      };
    }),
  });
}
