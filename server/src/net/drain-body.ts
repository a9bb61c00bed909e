// SPDX-License-Identifier: Apache-2.0
import type { IncomingMessage } from 'node:http';

/**
 * Bodies up to this size are read and dropped when a request is refused, so that the sender reads
 * the answer and the connection lives on. Most senders read an answer only after the whole body.
 */
export const DRAIN_BYTES = 1024 * 1024;

/** Drops what still comes of a body. @param onTooMuch called once, when that is more than `maxBytes` */
export function drainBody(
  request: IncomingMessage,
  onTooMuch: () => void,
  maxBytes = DRAIN_BYTES,
): void {
  let leftBytes = maxBytes;
  request.on('data', (piece: Buffer) => {
    const wasLeft = leftBytes >= 0;
    leftBytes -= piece.length;
    if (wasLeft && leftBytes < 0) onTooMuch();
  });
  request.resume();
}
