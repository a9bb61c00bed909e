// SPDX-License-Identifier: Apache-2.0
import type { Parsed } from './duration.ts';

/**
 * Reads a trace id as people paste it: 1 to 32 hex digits, in either case, with the dashes of a
 * UUID, or inside a `traceparent` header.
 * @see https://www.w3.org/TR/trace-context-1/#traceparent-header
 */
export function parseTraceIdText(text: string): Parsed<string> {
  const typed = text.trim().toLowerCase();
  const traceparent = /^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}$/.exec(typed);
  const id = traceparent?.[1] ?? typed.replaceAll('-', '').replace(/^0x/, '');
  if (id === '') return { error: 'Paste a trace id.' };
  if (!/^[0-9a-f]+$/.test(id)) return { error: 'A trace id has only the digits 0–9 and a–f.' };
  if (id.length > 32) return { error: `A trace id has at most 32 digits; this has ${id.length}.` };
  if (/^0+$/.test(id)) return { error: 'A trace id is not all zeros.' };
  return { value: id };
}
