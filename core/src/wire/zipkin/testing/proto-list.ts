// SPDX-License-Identifier: Apache-2.0
import { BinaryWriter } from '@bufbuild/protobuf/wire';
import type { Endpoint, ZipkinSpan } from './zipkin-model.ts';

const KINDS = ['', 'CLIENT', 'SERVER', 'PRODUCER', 'CONSUMER'];

/** `ListOfSpans`, written by the official library. */
export function protoList(spans: readonly ZipkinSpan[]): Uint8Array {
  const list = new BinaryWriter();
  for (const span of spans) {
    list.tag(1, 2).fork();
    writeSpan(list, span);
    list.join();
  }
  return list.finish();
}

function writeSpan(writer: BinaryWriter, span: ZipkinSpan): void {
  writer.tag(1, 2).bytes(Uint8Array.fromHex(span.traceId));
  if (span.parentId !== undefined) writer.tag(2, 2).bytes(Uint8Array.fromHex(span.parentId));
  writer.tag(3, 2).bytes(Uint8Array.fromHex(span.id));
  if (span.kind !== undefined) writer.tag(4, 0).int32(KINDS.indexOf(span.kind));
  if (span.name !== undefined) writer.tag(5, 2).string(span.name);
  if (span.timestamp !== undefined) writer.tag(6, 1).fixed64(BigInt(span.timestamp));
  if (span.duration !== undefined) writer.tag(7, 0).uint64(BigInt(span.duration));
  if (span.localEndpoint !== undefined) writeEndpoint(writer, 8, span.localEndpoint);
  if (span.remoteEndpoint !== undefined) writeEndpoint(writer, 9, span.remoteEndpoint);
  for (const { timestamp, value } of span.annotations ?? []) {
    writer.tag(10, 2).fork();
    writer.tag(1, 1).fixed64(BigInt(timestamp)).tag(2, 2).string(value);
    writer.join();
  }
  for (const [key, value] of Object.entries(span.tags ?? {})) {
    writer.tag(11, 2).fork();
    writer.tag(1, 2).string(key).tag(2, 2).string(value);
    writer.join();
  }
  if (span.debug === true) writer.tag(12, 0).bool(true);
  if (span.shared === true) writer.tag(13, 0).bool(true);
}

function writeEndpoint(writer: BinaryWriter, field: number, endpoint: Endpoint): void {
  writer.tag(field, 2).fork();
  if (endpoint.serviceName !== undefined) writer.tag(1, 2).string(endpoint.serviceName);
  if (endpoint.ipv4 !== undefined) {
    writer.tag(2, 2).bytes(Uint8Array.from(endpoint.ipv4.split('.'), Number));
  }
  if (endpoint.ipv6 !== undefined) writer.tag(3, 2).bytes(ipv6Bytes(endpoint.ipv6));
  if (endpoint.port !== undefined) writer.tag(4, 0).int32(endpoint.port);
  writer.join();
}

/** The 16 bytes of an address. */
export function ipv6Bytes(text: string): Uint8Array {
  const [before = '', after] = text.split('::');
  const groups = (part: string | undefined): string[] => (part ? part.split(':') : []);
  const [head, tail] = [groups(before), groups(after)];
  const zeros = Array<string>(8 - head.length - tail.length).fill('0');
  const hex = [...head, ...zeros, ...tail].map((group) => group.padStart(4, '0')).join('');
  return Uint8Array.fromHex(hex);
}
