// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';

/** A side of a call as Zipkin has it. */
export interface Endpoint {
  readonly serviceName?: string;
  readonly ipv4?: string;
  readonly ipv6?: string;
  readonly port?: number;
}

/** A span of Zipkin's version 2, in the form of its JSON; times in µs. */
export interface ZipkinSpan {
  readonly traceId: string;
  readonly id: string;
  readonly parentId?: string;
  readonly name?: string;
  readonly kind?: 'CLIENT' | 'SERVER' | 'PRODUCER' | 'CONSUMER';
  readonly timestamp?: number;
  readonly duration?: number;
  readonly localEndpoint?: Endpoint;
  readonly remoteEndpoint?: Endpoint;
  readonly annotations?: readonly { readonly timestamp: number; readonly value: string }[];
  readonly tags?: Readonly<Record<string, string>>;
  readonly debug?: boolean;
  readonly shared?: boolean;
}

const word = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 8 });
const micros = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });
const hex = (digits: number) =>
  fc
    .string({
      unit: fc.constantFrom(...'0123456789abcdef'.split('')),
      minLength: digits,
      maxLength: digits,
    })
    .filter((text) => /[1-9a-f]/.test(text));

const endpoint: fc.Arbitrary<Endpoint> = fc.record(
  {
    serviceName: word,
    ipv4: fc.ipV4().filter((text) => text !== '0.0.0.0'),
    ipv6: fc.constantFrom('::1', '2001:db8::c001', 'fe80::1:0:0:2', '1:2:3:4:5:6:7:8'),
    port: fc.integer({ min: 1, max: 65_535 }),
  },
  { requiredKeys: [] },
);
const key = fc.oneof(
  word.filter((text) => text !== '__proto__'),
  fc.constantFrom(
    'error',
    'span.kind',
    'otel.status_code',
    'otel.status_description',
    'w3c.tracestate',
    'otel.scope.name',
    'otel.scope.version',
    'otel.library.name',
    'otel.library.version',
    'http.status_code',
    'telemetry.sdk.name',
    'host.name',
    'service.version',
  ),
);
const value = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 8 }),
  fc.constantFrom('', 'true', 'false', 'internal', 'OK', 'ERROR', 'UNSET', 'STATUS_CODE_OK', '500'),
);

/** Spans with ids, of any other content. */
export const anySpan: fc.Arbitrary<ZipkinSpan> = fc.record(
  {
    traceId: fc.oneof(hex(16), hex(32)),
    id: fc.oneof(hex(16), fc.constant('000000000000000a')),
    parentId: fc.oneof(hex(16), fc.constant('000000000000000a')),
    name: word,
    kind: fc.constantFrom('CLIENT', 'SERVER', 'PRODUCER', 'CONSUMER'),
    timestamp: micros,
    duration: micros,
    localEndpoint: endpoint,
    remoteEndpoint: endpoint,
    annotations: fc.array(fc.record({ timestamp: micros, value: word }), { maxLength: 3 }),
    tags: fc.dictionary(key, value, { maxKeys: 8, noNullPrototype: true }),
    debug: fc.boolean(),
    shared: fc.boolean(),
  },
  { requiredKeys: ['traceId', 'id'] },
);

/** A span with little in it. */
export const PLAIN_SPAN: ZipkinSpan = {
  traceId: '000000000000000b',
  id: '000000000000000a',
  name: 'get',
  timestamp: 1_700_000_000_000_000,
  duration: 1500,
  localEndpoint: { serviceName: 'shop' },
};
