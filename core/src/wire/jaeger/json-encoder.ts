// SPDX-License-Identifier: Apache-2.0
import { parseHex } from '#model/ids.ts';
import { encodeText } from '#model/utf8.ts';
import type { JaegerKeyValue, JaegerSpan } from './jaeger-span.ts';
import { RefType } from './references.ts';

/**
 * `jaeger.api_v2.Span` in protobuf's JSON, as Jaeger and the OpenTelemetry collector write it: ids are base64, types and
 * numbers of 64 bits texts, and what is at its default is left out.
 * @see https://protobuf.dev/programming-guides/json/
 */
export function encodeJaegerJson(span: JaegerSpan): Uint8Array {
  const { operationName, flags, process, warnings } = span;
  return encodeText(
    JSON.stringify({
      traceId: base64(span.traceId),
      spanId: base64(span.spanId),
      ...text('operationName', operationName),
      ...list('references', span.references, ({ traceId, spanId, type }) => ({
        traceId: base64(traceId),
        spanId: base64(spanId),
        ...(type === RefType.followsFrom ? { refType: 'FOLLOWS_FROM' } : {}),
      })),
      ...(flags === 0 ? {} : { flags }),
      startTime: formatTime(span.startTimeUnixNano),
      duration: formatDuration(span.durationNanos),
      ...list('tags', span.tags, keyValue),
      ...list('logs', span.logs, ({ timeUnixNano, fields }) => ({
        timestamp: formatTime(timeUnixNano),
        ...list('fields', fields, keyValue),
      })),
      ...(process === undefined
        ? {}
        : {
            process: {
              ...text('serviceName', process.serviceName),
              ...list('tags', process.tags, keyValue),
            },
          }),
      ...list('warnings', warnings, (warning) => warning),
    }),
  );
}

type Json = Readonly<Record<string, unknown>>;

function keyValue({ key, value }: JaegerKeyValue): Json {
  const named = text('key', key);
  switch (value.type) {
    case 'string':
      return { ...named, ...text('vStr', value.value) };
    case 'bool':
      return { ...named, vType: 'BOOL', ...(value.value ? { vBool: true } : {}) };
    case 'int':
      return {
        ...named,
        vType: 'INT64',
        ...(value.value === 0n ? {} : { vInt64: String(value.value) }),
      };
    case 'double':
      return { ...named, vType: 'FLOAT64', ...float(value.value) };
    case 'bytes':
      return { ...named, vType: 'BINARY', ...text('vBinary', value.value.toBase64()) };
  }
}

/** JSON has no text for NaN and the infinities, and `JSON.stringify` none for -0. */
function float(value: number): Json {
  if (Object.is(value, 0)) return {};
  if (value === 0) return { vFloat64: '-0' };
  return { vFloat64: Number.isFinite(value) ? value : String(value) };
}

/** A time as RFC 3339, with as many digits as it needs: 0, 3, 6 or 9. */
function formatTime(unixNano: bigint): string {
  const seconds = new Date(Number(unixNano / 1_000_000_000n) * 1000).toISOString().slice(0, 19);
  return `${seconds}${fraction(unixNano % 1_000_000_000n)}Z`;
}

function formatDuration(nanos: bigint): string {
  const magnitude = nanos < 0n ? -nanos : nanos;
  const sign = nanos < 0n ? '-' : '';
  return `${sign}${magnitude / 1_000_000_000n}${fraction(magnitude % 1_000_000_000n)}s`;
}

function fraction(nanos: bigint): string {
  if (nanos === 0n) return '';
  return `.${String(nanos)
    .padStart(9, '0')
    .replace(/(000){1,2}$/, '')}`;
}

function base64(hex: string): string {
  // Ids are hex by their maker.
  return parseHex(hex)!.toBase64();
}

function text(name: string, value: string): Json {
  return value === '' ? {} : { [name]: value };
}

function list<T>(name: string, items: readonly T[], map: (item: T) => unknown): Json {
  return items.length === 0 ? {} : { [name]: items.map(map) };
}
