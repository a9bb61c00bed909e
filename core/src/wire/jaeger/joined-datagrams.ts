// SPDX-License-Identifier: Apache-2.0

/** Before each datagram: its length, big endian. */
export const DATAGRAM_HEAD_BYTES = 4;

/** Datagrams in one piece of memory, each after its length. */
export function joinDatagrams(datagrams: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  let length = 0;
  for (const datagram of datagrams) length += DATAGRAM_HEAD_BYTES + datagram.length;
  const joined = new Uint8Array(length);
  const view = new DataView(joined.buffer);
  let at = 0;
  for (const datagram of datagrams) {
    view.setUint32(at, datagram.length);
    joined.set(datagram, at + DATAGRAM_HEAD_BYTES);
    at += DATAGRAM_HEAD_BYTES + datagram.length;
  }
  return joined;
}

/** The datagrams again, as parts of the same memory. */
export function* splitDatagrams(joined: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < joined.length;) {
    const start = at + DATAGRAM_HEAD_BYTES;
    at = start + datagramLength(joined, at);
    yield joined.subarray(start, at);
  }
}

/** Length of the datagram whose head is at `bytes[at]`. */
export function datagramLength(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0
  );
}
