// SPDX-License-Identifier: Apache-2.0
import { SpanKind } from '@spoor/core/model/span.ts';
import { AttributeTag, encodeAttributes, type PlainValue } from './attribute-writer.ts';
import { BodyWriter } from './body-writer.ts';
import type { ShopOperation } from './shop-topology.ts';
import type { ShopSpan } from './shop-trace.ts';

/** The bytes that all spans of one kind, operation and instance share. */
export interface SpanTemplate {
  readonly name: string;
  /** The fields `name` and `kind`. */
  readonly head: Uint8Array;
  /** The attributes whose values never differ. */
  readonly attributes: Uint8Array;
}

/** Builds the template of a span. */
export function createSpanTemplate(span: ShopSpan): SpanTemplate {
  const name = spanName(span);
  const head = new BodyWriter(128);
  head.text(0x2a, name);
  head.byte(0x30);
  head.varint(span.kind);
  return {
    name,
    head: head.copy(),
    attributes: encodeAttributes(AttributeTag.span, fixedAttributes(span, name)),
  };
}

/** Name of a span as the usual instrumentation gives it. */
function spanName(span: ShopSpan): string {
  const { operation } = span;
  if (span.kind === SpanKind.internal) return span.instance.service.spec.internals[span.internal]!;
  if (span.kind === SpanKind.producer) return `send ${operation.name}`;
  const outgoingHttp = span.kind === SpanKind.client && operation.service.spec.protocol === 'http';
  return outgoingHttp ? operation.verb : operation.spanName;
}

function fixedAttributes(span: ShopSpan, name: string): readonly (readonly [string, PlainValue])[] {
  switch (span.kind) {
    case SpanKind.internal:
      return internalAttributes(span, name);
    case SpanKind.producer:
    case SpanKind.consumer:
      return messagingAttributes(span);
    case SpanKind.client:
      return [...callAttributes(span.operation, name), ...serverAttributes(span.operation)];
    default:
      return [
        ...callAttributes(span.operation, name),
        ...routeAttributes(span.operation),
        ...serverAttributes(span.operation),
      ];
  }
}

/** What is asked for, the same on both sides of a call. */
function callAttributes(operation: ShopOperation, name: string): (readonly [string, PlainValue])[] {
  switch (operation.service.spec.protocol) {
    case 'http':
      return [
        ['http.request.method', operation.verb],
        ['network.protocol.version', '1.1'],
      ];
    case 'grpc':
      return [
        ['rpc.system.name', 'grpc'],
        ['rpc.method', name],
      ];
    case 'postgresql':
      return [
        ['db.system.name', 'postgresql'],
        ['db.namespace', 'shop'],
        ['db.operation.name', operation.verb],
        ['db.collection.name', operation.object],
        ['db.query.summary', operation.name],
      ];
    default:
      return [
        ['db.system.name', 'valkey'],
        ['db.namespace', '0'],
        ['db.operation.name', operation.name],
      ];
  }
}

/** What only the called side knows. */
function routeAttributes(operation: ShopOperation): (readonly [string, PlainValue])[] {
  const { spec } = operation.service;
  switch (spec.protocol) {
    case 'http':
      return [
        ['url.scheme', 'http'],
        ['http.route', operation.object],
      ];
    case 'grpc':
      return [
        ['network.protocol.version', '2'],
        ['code.function.name', `${spec.name}.${operation.name}`],
      ];
    default:
      return [['code.function.name', 'dispatch_command']];
  }
}

function serverAttributes(operation: ShopOperation): (readonly [string, PlainValue])[] {
  const { name, port } = operation.service.spec;
  return [
    ['server.address', name],
    ['server.port', { int: port }],
  ];
}

function internalAttributes(span: ShopSpan, name: string): (readonly [string, PlainValue])[] {
  const { spec } = span.instance.service;
  const file = name.replaceAll(' ', '_');
  return [
    ['code.function.name', `${spec.name}.${file}`],
    ['code.file.path', `/srv/${spec.name}/src/${file}.${SOURCE_SUFFIX[spec.language] ?? 'go'}`],
    ['code.line.number', { int: 40 + name.length * 7 }],
  ];
}

function messagingAttributes(span: ShopSpan): (readonly [string, PlainValue])[] {
  const topic = span.operation.name;
  const sends = span.kind === SpanKind.producer;
  const verb = sends ? 'send' : 'process';
  return [
    ['messaging.system', 'kafka'],
    ['messaging.destination.name', topic],
    ['messaging.operation.name', verb],
    ['messaging.operation.type', verb],
    sends
      ? ['messaging.client.id', `${span.instance.service.spec.name}-${span.instance.index}`]
      : ['messaging.consumer.group.name', `shop-${span.operation.service.spec.name}`],
    ['server.address', 'kafka'],
    ['server.port', { int: 9092 }],
  ];
}

const SOURCE_SUFFIX: Readonly<Record<string, string>> = {
  nodejs: 'ts',
  java: 'java',
  dotnet: 'cs',
  rust: 'rs',
  python: 'py',
  ruby: 'rb',
  php: 'php',
  cpp: 'cc',
};
