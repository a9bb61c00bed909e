// SPDX-License-Identifier: Apache-2.0
import { collidingSymbols } from '../../core/src/model/testing/colliding-symbols.ts';

/** A body that is made to be hard to take. */
export interface HostileBody {
  readonly name: string;
  /** Name of its listener. */
  readonly to: 'otlp_http' | 'zipkin_http' | 'jaeger_http';
  readonly path: string;
  readonly contentType: string;
  readonly make: (bytes: number) => Buffer;
}

const SPAN_HEAD =
  '"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174","name":"a",' +
  '"startTimeUnixNano":"1","endTimeUnixNano":"2"';
const JSON_OPEN = '{"resourceSpans":[{"scopeSpans":[{"spans":[';
const JSON_CLOSE = ']}]}]}';
/** Trace id and span id, in OTLP and in Zipkin's protobuf: fields 1 to 3. */
const PROTO_IDS = `\x0a\x10${'i'.repeat(16)}\x12\x08${'i'.repeat(8)}\x1a\x08${'i'.repeat(8)}`;
/** Jaeger's ids: the halves of the trace id and the span id, fields 1 to 3. */
const THRIFT_IDS = [1, 2, 3]
  .map((field) => `\x0a\x00${String.fromCharCode(field)}${'i'.repeat(8)}`)
  .join('');

/** Making them takes a while. */
const MOST_COLLIDING = 400_000;

/** Bodies of every format, each of one thing in excess. */
export const HOSTILE_BODIES: readonly HostileBody[] = [
  otlpJson('a text of all its length', (size) =>
    filled(`${JSON_OPEN}{${SPAN_HEAD},"traceState":"`, 'é', `"}${JSON_CLOSE}`, size),
  ),
  otlpJson('escapes', (size) =>
    filled(`${JSON_OPEN}{${SPAN_HEAD},"traceState":"`, '\\u00e9', `"}${JSON_CLOSE}`, size),
  ),
  otlpJson('empty spans', (size) => filled(`${JSON_OPEN}{}`, ',{}', JSON_CLOSE, size)),
  otlpJson('empty resources', (size) => filled('{"resourceSpans":[{}', ',{}', ']}', size)),
  otlpJson('small spans', (size) =>
    filled(`${JSON_OPEN}{${SPAN_HEAD}}`, `,{${SPAN_HEAD}}`, JSON_CLOSE, size),
  ),
  otlpJson('attributes of one span', (size) =>
    filled(
      `${JSON_OPEN}{${SPAN_HEAD},"attributes":[{"key":"k","value":{"intValue":"1"}}`,
      ',{"key":"k","value":{"intValue":"1"}}',
      `]}${JSON_CLOSE}`,
      size,
    ),
  ),
  otlpJson('links of one span', (size) =>
    filled(`${JSON_OPEN}{${SPAN_HEAD},"links":[{}`, ',{}', `]}${JSON_CLOSE}`, size),
  ),
  otlpJson('a list as value', (size) =>
    filled(
      `${JSON_OPEN}{${SPAN_HEAD},"attributes":[{"key":"k","value":{"arrayValue":{"values":[{}`,
      ',{}',
      `]}}}]}${JSON_CLOSE}`,
      size,
    ),
  ),
  otlpJson('attributes of one resource', (size) =>
    filled('{"resourceSpans":[{"resource":{"attributes":[{}', ',{}', ']}}]}', size),
  ),
  otlpJson('depth', (size) =>
    filled(
      `${JSON_OPEN}{${SPAN_HEAD},"attributes":[{"key":"k","value":`,
      '{"arrayValue":{"values":[',
      '',
      size,
    ),
  ),
  otlpJson('an unknown member', (size) => filled('{"x":[', '[[]],', '[]]}', size)),
  otlpJson('blanks', (size) => filled('{"resourceSpans":[', ' ', ']}', size)),
  otlpProto('empty resources', (size) => filled('', '\x0a\x00', '', size)),
  otlpProto('empty spans', (size) => nested([0x0a, 0x12], filled('', '\x12\x00', '', size))),
  otlpProto('attributes of one span', (size) =>
    nested([0x0a, 0x12, 0x12], filled(PROTO_IDS, '\x4a\x00', '', size)),
  ),
  otlpProto('events of one span', (size) =>
    nested([0x0a, 0x12, 0x12], filled(PROTO_IDS, '\x5a\x00', '', size)),
  ),
  otlpProto('names of events that have one hash', (size) => {
    const head = Buffer.from('\x5a\x0a\x12\x08', 'latin1');
    const names = collidingSymbols(Math.min(MOST_COLLIDING, Math.floor(size / 12)));
    const events = names.flatMap((name) => [head, name]);
    return nested([0x0a, 0x12, 0x12], Buffer.concat([Buffer.from(PROTO_IDS, 'latin1'), ...events]));
  }),
  otlpProto('links of one span', (size) =>
    nested([0x0a, 0x12, 0x12], filled(PROTO_IDS, '\x6a\x00', '', size)),
  ),
  otlpProto('a list as value', (size) =>
    nested([0x0a, 0x12, 0x12, 0x4a, 0x12, 0x2a], filled('', '\x0a\x00', '', size)),
  ),
  otlpProto('a list of texts as value', (size) =>
    nested([0x0a, 0x12, 0x12, 0x4a, 0x12, 0x2a], filled('', '\x0a\x03\x0a\x01\xe9', '', size)),
  ),
  otlpProto('a map as value', (size) =>
    nested([0x0a, 0x12, 0x12, 0x4a, 0x12, 0x32], filled('', '\x0a\x02\x12\x00', '', size)),
  ),
  otlpProto('attributes of one resource', (size) =>
    nested([0x0a, 0x0a], filled('', '\x0a\x00', '', size)),
  ),
  otlpProto('unknown fields', (size) => filled('', '\xf8\x7f\x01', '', size)),
  otlpProto('depth', (size) => deepProto(size)),
  otlpProto('a text of all its length', (size) =>
    nested([0x0a, 0x12, 0x12, 0x2a], Buffer.alloc(size, 0xe9)),
  ),
  zipkinJson('empty spans', (size) => filled('[{}', ',{}', ']', size)),
  zipkinJson('tags of one span', (size) =>
    filled('[{"traceId":"1","id":"1","tags":{"a":"b"', ',"a":"b"', '}}]', size),
  ),
  zipkinJson('annotations of one span', (size) =>
    filled('[{"traceId":"1","id":"1","annotations":[{}', ',{}', ']}]', size),
  ),
  zipkinJson('depth', (size) => filled('', '[', '', size)),
  zipkin('protobuf: empty spans', 'application/x-protobuf', (size) =>
    filled('', '\x0a\x00', '', size),
  ),
  zipkin('Thrift: empty spans', 'application/x-thrift', (size) =>
    filled(`\x0c${words(size - 5)}`, '\x00', '', size),
  ),
  zipkin('protobuf: tags of one span', 'application/x-protobuf', (size) =>
    nested([0x0a], filled(PROTO_IDS, '\x5a\x00', '', size)),
  ),
  zipkin('Thrift: annotations of one span', 'application/x-thrift', (size) =>
    filled(`\x0c${words(1)}\x0f\x00\x06\x0c${words(size - 32)}`, '\x00', '', size),
  ),
  jaegerThrift('empty spans', (size) => filled(words(size - 64), '\x00', '', size)),
  jaegerThrift('tags of one span', (size) =>
    filled(`${words(1)}${THRIFT_IDS}\x0f\x00\x0a\x0c${words(size - 128)}`, '\x00', '', size),
  ),
  jaegerThrift('logs of one span', (size) =>
    filled(`${words(1)}${THRIFT_IDS}\x0f\x00\x0b\x0c${words(size - 128)}`, '\x00', '', size),
  ),
  jaegerThrift('references of one span', (size) =>
    filled(`${words(1)}${THRIFT_IDS}\x0f\x00\x06\x0c${words(size - 128)}`, '\x00', '', size),
  ),
];

function otlpJson(name: string, make: HostileBody['make']): HostileBody {
  const contentType = 'application/json';
  return { name: `OTLP JSON: ${name}`, to: 'otlp_http', path: '/v1/traces', contentType, make };
}

function otlpProto(name: string, make: HostileBody['make']): HostileBody {
  const contentType = 'application/x-protobuf';
  return { name: `OTLP protobuf: ${name}`, to: 'otlp_http', path: '/v1/traces', contentType, make };
}

function zipkinJson(name: string, make: HostileBody['make']): HostileBody {
  return zipkin(`JSON: ${name}`, 'application/json', make);
}

/** @param spans makes the length and the items of the list of spans, and what else there is */
function jaegerThrift(name: string, spans: HostileBody['make']): HostileBody {
  // Batch: 1: process {1: serviceName}, 2: list of spans.
  const head = Buffer.from(`\x0c\x00\x01\x0b\x00\x01${words(1)}s\x00\x0f\x00\x02\x0c`, 'latin1');
  return {
    name: `Jaeger Thrift: ${name}`,
    to: 'jaeger_http',
    path: '/api/traces',
    contentType: 'application/x-thrift',
    make: (size) => Buffer.concat([head, spans(size - head.length), Buffer.alloc(8)]),
  };
}

function zipkin(name: string, contentType: string, make: HostileBody['make']): HostileBody {
  const path = contentType === 'application/x-thrift' ? '/api/v1/spans' : '/api/v2/spans';
  return { name: `Zipkin ${name}`, to: 'zipkin_http', path, contentType, make };
}

/** A unit again and again between two texts, `size` bytes at most. Of characters each is a byte. */
function filled(start: string, unit: string, end: string, size: number): Buffer {
  const times = Math.floor((size - start.length - end.length) / unit.length);
  const body = Buffer.alloc(start.length + times * unit.length + end.length);
  body.write(start, 'latin1');
  body.fill(unit, start.length, body.length - end.length, 'latin1');
  body.write(end, body.length - end.length, 'latin1');
  return body;
}

/** A message in a message, by the tags from the outermost on. */
function nested(tags: readonly number[], content: Buffer): Buffer {
  return tags.reduceRight((inner, tag) => Buffer.concat([head(tag, inner.length), inner]), content);
}

/** Values in values, as deep as the size allows; from the innermost on, so each length is known. */
function deepProto(size: number): Buffer {
  const pieces: Buffer[] = [];
  let length = 0;
  while (length < size - 64) {
    // An ArrayValue with one AnyValue, in an AnyValue.
    for (const tag of [0x0a, 0x2a]) {
      const piece = head(tag, length);
      pieces.push(piece);
      length += piece.length;
    }
  }
  return nested([0x0a, 0x12, 0x12, 0x4a, 0x12], Buffer.concat(pieces.reverse()));
}

/** A tag and a length. */
function head(tag: number, length: number): Buffer {
  const bytes = [tag];
  for (let rest = length; ; rest >>>= 7) {
    if (rest < 128) {
      bytes.push(rest);
      return Buffer.from(bytes);
    }
    bytes.push((rest & 127) | 128);
  }
}

/** A number of four bytes, big endian, as characters. */
function words(value: number): string {
  return String.fromCharCode(
    (value >>> 24) & 255,
    (value >>> 16) & 255,
    (value >>> 8) & 255,
    value & 255,
  );
}
