// SPDX-License-Identifier: Apache-2.0
import { formatIpv6 } from './endpoint.ts';

/**
 * The 4 or 16 bytes of an address that is written in the one form in which it would be read again; undefined for any other
 * text, and for the addresses of zeros, which Zipkin takes for none.
 */
export function parseIp(text: string): Uint8Array | undefined {
  const bytes = text.includes(':') ? ipv6Bytes(text) : Uint8Array.from(text.split('.'), Number);
  if (bytes === undefined || bytes.every((byte) => byte === 0)) return undefined;
  const again = bytes.length === 4 ? bytes.join('.') : formatIpv6(bytes);
  return again === text ? bytes : undefined;
}

/** Bytes of groups of hex digits; those that `::` stands for are zeros. */
function ipv6Bytes(text: string): Uint8Array | undefined {
  const [before = [], after] = text.split('::').map((part) => (part === '' ? [] : part.split(':')));
  const zeros = 8 - before.length - (after?.length ?? 0);
  if (zeros < 0 || zeros > 0 === (after === undefined)) return undefined;
  const groups = [...before, ...Array<string>(zeros).fill('0'), ...(after ?? [])];
  const numbers = groups.map((group) => (/^[0-9a-f]{1,4}$/.test(group) ? parseInt(group, 16) : -1));
  if (numbers.includes(-1)) return undefined;
  return Uint8Array.from(numbers.flatMap((number) => [number >> 8, number & 255]));
}
