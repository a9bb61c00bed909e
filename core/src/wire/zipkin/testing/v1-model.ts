// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';
import {
  text as textValue,
  type ThriftField,
  type ThriftValue,
} from '#wire/thrift/testing/thrift-library.ts';
import { ipv6Bytes } from './proto-list.ts';
import type { Endpoint } from './zipkin-model.ts';

/** Value of a binary annotation. */
export type V1Value =
  | string
  | boolean
  | Uint8Array
  | { readonly i16: number }
  | { readonly i32: number }
  | { readonly i64: bigint }
  | { readonly double: number };

/** A span of Zipkin's version 1; times in µs. */
export interface V1Span {
  readonly traceId: bigint;
  readonly id: bigint;
  readonly parentId?: bigint;
  readonly name: string;
  readonly annotations: readonly {
    readonly timestamp: number;
    readonly value: string;
    readonly endpoint?: Endpoint;
  }[];
  readonly binaryAnnotations: readonly {
    readonly key: string;
    readonly value: V1Value;
    readonly endpoint?: Endpoint;
  }[];
  readonly timestamp?: number;
  readonly duration?: number;
  readonly debug?: boolean;
}

const word = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 8 });
const micros = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });
const id = fc.bigInt({ min: 1n, max: 2n ** 64n - 1n });
const endpoint: fc.Arbitrary<Endpoint> = fc.record(
  {
    serviceName: word,
    ipv4: fc.ipV4().filter((text) => text !== '0.0.0.0'),
    ipv6: fc.constantFrom('::1', '2001:db8::c001', '1:2:3:4:5:6:7:8'),
    port: fc.integer({ min: 1, max: 65_535 }),
  },
  { requiredKeys: [] },
);
const value: fc.Arbitrary<V1Value> = fc.oneof(
  word,
  fc.boolean(),
  fc.uint8Array({ maxLength: 9 }),
  fc.integer({ min: -32_768, max: 32_767 }).map((i16) => ({ i16 })),
  fc.integer().map((i32) => ({ i32 })),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map((i64) => ({ i64 })),
  // JSON has no -0.
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((double) => ({ double: double + 0 })),
);

/** Spans with ids, of any other content. */
export const anyV1Span: fc.Arbitrary<V1Span> = fc.record(
  {
    traceId: fc.bigInt({ min: 1n, max: 2n ** 128n - 1n }),
    id,
    parentId: id,
    name: word,
    annotations: fc.array(
      fc.record(
        {
          timestamp: fc.oneof(micros, fc.constantFrom(5, 6)),
          value: fc.oneof(word, fc.constantFrom('cs', 'cr', 'sr', 'ss', 'ms', 'mr', 'ws')),
          endpoint,
        },
        { requiredKeys: ['timestamp', 'value'] },
      ),
      { maxLength: 4 },
    ),
    binaryAnnotations: fc.array(
      fc.record(
        { key: fc.oneof(word, fc.constantFrom('sa', 'ca', 'ma', 'lc', 'error')), value, endpoint },
        { requiredKeys: ['key', 'value'] },
      ),
      { maxLength: 4 },
    ),
    timestamp: micros,
    duration: micros,
    debug: fc.boolean(),
  },
  { requiredKeys: ['traceId', 'id', 'name', 'annotations', 'binaryAnnotations'] },
);

/** The span in JSON. */
export function v1Json(span: V1Span): object {
  const hex = (number: bigint): string => number.toString(16).padStart(16, '0');
  return {
    ...span,
    traceId: hex(span.traceId),
    id: hex(span.id),
    ...(span.parentId === undefined ? {} : { parentId: hex(span.parentId) }),
    binaryAnnotations: span.binaryAnnotations.map(({ value: content, ...rest }) => ({
      ...rest,
      ...jsonValue(content),
    })),
  };
}

function jsonValue(content: V1Value): { value: unknown; type?: string } {
  if (typeof content !== 'object') return { value: content };
  if (content instanceof Uint8Array) return { value: content.toBase64(), type: 'BYTES' };
  if ('i16' in content) return { value: content.i16, type: 'I16' };
  if ('i32' in content) return { value: String(content.i32), type: 'I32' };
  if ('i64' in content) return { value: String(content.i64), type: 'I64' };
  return { value: content.double, type: 'DOUBLE' };
}

/** The span in Thrift. */
export function v1Thrift(span: V1Span): ThriftValue {
  const fields: ThriftField[] = [
    [1, i64(span.traceId)],
    [3, textValue(span.name)],
    [4, i64(span.id)],
    [
      6,
      list(
        span.annotations.map((annotation) =>
          struct([
            [1, i64(BigInt(annotation.timestamp))],
            [2, textValue(annotation.value)],
            ...thriftEndpoint(3, annotation.endpoint),
          ]),
        ),
      ),
    ],
    [
      8,
      list(
        span.binaryAnnotations.map(({ key, value: content, endpoint: host }) => {
          const [type, bytes] = thriftValue(content);
          return struct([
            [1, textValue(key)],
            [2, { type: 'string', value: bytes }],
            [3, { type: 'i32', value: type }],
            ...thriftEndpoint(4, host),
          ]);
        }),
      ),
    ],
    [12, i64(span.traceId >> 64n)],
  ];
  if (span.parentId !== undefined) fields.push([5, i64(span.parentId)]);
  if (span.debug !== undefined) fields.push([9, { type: 'bool', value: span.debug }]);
  if (span.timestamp !== undefined) fields.push([10, i64(BigInt(span.timestamp))]);
  if (span.duration !== undefined) fields.push([11, i64(BigInt(span.duration))]);
  return struct(fields.toSorted(([a], [b]) => a - b));
}

function thriftValue(content: V1Value): [type: number, bytes: Uint8Array] {
  const bytes = new Uint8Array(8);
  const view = new DataView(bytes.buffer);
  if (typeof content === 'string') return [6, new TextEncoder().encode(content)];
  if (typeof content === 'boolean') return [0, Uint8Array.of(content ? 1 : 0)];
  if (content instanceof Uint8Array) return [1, content];
  if ('i16' in content) {
    view.setInt16(0, content.i16);
    return [2, bytes.slice(0, 2)];
  }
  if ('i32' in content) {
    view.setInt32(0, content.i32);
    return [3, bytes.slice(0, 4)];
  }
  if ('i64' in content) view.setBigInt64(0, content.i64);
  else view.setFloat64(0, content.double);
  return ['i64' in content ? 4 : 5, bytes];
}

function thriftEndpoint(field: number, host: Endpoint | undefined): ThriftField[] {
  if (host === undefined) return [];
  const { ipv4, ipv6, port, serviceName } = host;
  const word32 = (ipv4 ?? '0.0.0.0').split('.').reduce((all, part) => (all << 8) | Number(part), 0);
  const fields: ThriftField[] = [
    [1, { type: 'i32', value: word32 }],
    [2, { type: 'i16', value: ((port ?? 0) << 16) >> 16 }],
    [3, textValue(serviceName ?? '')],
  ];
  if (ipv6 !== undefined) fields.push([4, { type: 'string', value: ipv6Bytes(ipv6) }]);
  return [[field, struct(fields)]];
}

function i64(number: bigint): ThriftValue {
  return { type: 'i64', value: BigInt.asIntN(64, number) };
}

function struct(fields: readonly ThriftField[]): ThriftValue {
  return { type: 'struct', value: fields };
}

function list(values: readonly ThriftValue[]): ThriftValue {
  return { type: 'list', item: 'struct', value: values };
}
