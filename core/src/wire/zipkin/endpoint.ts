// SPDX-License-Identifier: Apache-2.0
import { encodeText } from '#model/utf8.ts';
import { TagText } from '#wire/mapping/tag-text.ts';

/** What is wrong with a span that has a port which {@link ZipkinEndpoint.setPort} does not take. */
export const BAD_PORT = 'the port of an endpoint is over 65535';

/** An endpoint as it was read: a service and where it is. */
export class ZipkinEndpoint {
  readonly service = new TagText();
  readonly ipv4 = new TagText();
  readonly ipv6 = new TagText();
  /** 0 when it is not known. */
  port = 0;

  clear(): void {
    this.service.clear();
    this.ipv4.clear();
    this.ipv6.clear();
    this.port = 0;
  }

  /** Sets the IPv4 address from its 4 bytes; 0.0.0.0 is none. */
  setIpv4(bytes: Uint8Array, at: number): void {
    const parts = bytes.subarray(at, at + 4);
    if (parts.every((byte) => byte === 0)) return;
    const text = encodeText(parts.join('.'));
    this.ipv4.set(text, 0, text.length);
  }

  /** Sets the IPv6 address from its 16 bytes; :: is none. */
  setIpv6(bytes: Uint8Array, at: number): void {
    const parts = bytes.subarray(at, at + 16);
    if (parts.every((byte) => byte === 0)) return;
    const text = encodeText(formatIpv6(parts));
    this.ipv6.set(text, 0, text.length);
  }

  /** Sets the port. @returns false, and it stays as it is, when the number is none */
  setPort(port: number): boolean {
    if (port > 65_535) return false;
    this.port = port;
    return true;
  }

  /** Takes over what another endpoint says. */
  copy(other: ZipkinEndpoint): void {
    copyText(this.service, other.service);
    copyText(this.ipv4, other.ipv4);
    copyText(this.ipv6, other.ipv6);
    this.port = other.port;
  }
}

function copyText(target: TagText, source: TagText): void {
  if (source.isThere) target.set(source.bytes, source.start, source.end);
  else target.clear();
}

/**
 * An IPv6 address in its one canonical form.
 * @see https://www.rfc-editor.org/rfc/rfc5952
 */
export function formatIpv6(bytes: Uint8Array): string {
  const groups = Array.from({ length: 8 }, (_, i) => (bytes[2 * i]! << 8) | bytes[2 * i + 1]!);
  let zerosStart = 0;
  let zerosLength = 1;
  for (let start = 0; start < 8; start++) {
    let end = start;
    while (end < 8 && groups[end] === 0) end++;
    if (end - start > zerosLength) {
      zerosStart = start;
      zerosLength = end - start;
    }
  }
  const hex = groups.map((group) => group.toString(16));
  if (zerosLength === 1) return hex.join(':');
  const after = zerosStart + zerosLength;
  return `${hex.slice(0, zerosStart).join(':')}::${hex.slice(after).join(':')}`;
}
