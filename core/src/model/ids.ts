// SPDX-License-Identifier: Apache-2.0
import { SpoorError, quote } from './errors.ts';

/** 32 lower-case hex digits, not all zero. */
export type TraceId = string & { readonly __brand: 'TraceId' };
/** 16 lower-case hex digits. */
export type SpanId = string & { readonly __brand: 'SpanId' };
/** Name of a tenant: 1 to 64 of `A-Z a-z 0-9 _ -`; it becomes part of a path. */
export type Tenant = string & { readonly __brand: 'Tenant' };

/** What a tenant can be called. */
export const TENANT_NAME = /^[A-Za-z0-9_-]{1,64}$/;

/** The tenant of data that names none. */
// The brand is checked by parseTenant everywhere else; this literal satisfies it by sight.
export const DEFAULT_TENANT = 'default' as Tenant;

const HEX: readonly string[] = Array.from({ length: 256 }, (_, byte) =>
  byte.toString(16).padStart(2, '0'),
);

/** Lower-case hex of `bytes[start, end)`. */
export function formatHex(bytes: Uint8Array, start = 0, end = bytes.length): string {
  let text = '';
  for (let i = start; i < end; i++) text += HEX[bytes[i]!]!;
  return text;
}

/** Whether the span id at `offset` is all zeros: none was sent. */
export function isZeroSpanId(bytes: Uint8Array, offset: number): boolean {
  for (let i = 0; i < 8; i++) if (bytes[offset + i] !== 0) return false;
  return true;
}

/** Value of one hex digit by its ASCII code, or -1. */
export function hexDigit(code: number): number {
  if (code >= 48 && code <= 57) return code - 48;
  const lower = code | 32;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
}

/** Bytes of an even-length hex text, or undefined when it is not one. Both cases are read. */
export function parseHex(text: string): Uint8Array | undefined {
  if (text.length % 2 !== 0) return undefined;
  const bytes = new Uint8Array(text.length / 2);
  for (let i = 0; i < bytes.length; i++) {
    const high = hexDigit(text.charCodeAt(2 * i));
    const low = hexDigit(text.charCodeAt(2 * i + 1));
    if (high < 0 || low < 0) return undefined;
    bytes[i] = (high << 4) | low;
  }
  return bytes;
}

/**
 * Reads a trace id of 1 to 32 hex digits, as people paste it: short ids are
 * padded with zeros on the left, upper case is lowered.
 * @throws {SpoorError} invalid_argument
 */
export function parseTraceId(text: string): TraceId {
  if (!/^[0-9a-fA-F]{1,32}$/.test(text) || /^0+$/.test(text)) {
    throw new SpoorError(
      'invalid_argument',
      `trace id ${quote(text)} is not 1 to 32 hex digits with one other than 0`,
    );
  }
  // Checked above.
  return text.toLowerCase().padStart(32, '0') as TraceId;
}

/** The 16 bytes of a trace id. */
export function traceIdBytes(id: TraceId): Uint8Array {
  return parseHex(id)!;
}

/** Trace id from 16 bytes at `offset`. */
export function formatTraceId(bytes: Uint8Array, offset: number): TraceId {
  return formatHex(bytes, offset, offset + 16) as TraceId;
}

/** Span id from 8 bytes at `offset`. */
export function formatSpanId(bytes: Uint8Array, offset: number): SpanId {
  return formatHex(bytes, offset, offset + 8) as SpanId;
}

/**
 * Checks the name of a tenant.
 * @throws {SpoorError} invalid_argument
 */
export function parseTenant(text: string): Tenant {
  if (!TENANT_NAME.test(text)) {
    throw new SpoorError(
      'invalid_argument',
      `tenant ${quote(text)} is not 1 to 64 of the characters A-Z a-z 0-9 _ -`,
    );
  }
  return text as Tenant;
}
