// SPDX-License-Identifier: Apache-2.0
import type { LoopTurns } from './loop-turns.ts';

/**
 * Characters that are sent at once: small enough to hold one per client, and so many that most answers with a trace are one: to send one
 * in two pieces takes as long as to make it.
 */
const CHUNK_LENGTH = 128 * 1024;
/** How long the event loop is kept at a time, in ms. */
const SLICE_MS = 10;

/**
 * Joins small pieces of text into chunks of about 128 KiB. Between pieces it gives the event loop
 * free every 10 ms, and ends with the signal's reason when that fires.
 * @param turns those of all answers: in each turn of the loop one of them is made
 * @param onChunk called before each chunk is handed out
 */
export async function* joinPieces(
  parts: AsyncIterable<Iterable<string>>,
  signal: AbortSignal,
  turns: LoopTurns,
  onChunk: () => void,
): AsyncGenerator<string, void, undefined> {
  let chunk = '';
  let sliceEndMs = 0;
  const pause = async (): Promise<void> => {
    await turns.next();
    signal.throwIfAborted();
    sliceEndMs = performance.now() + SLICE_MS;
  };
  for await (const pieces of parts) {
    // The parts of several answers may come in one turn.
    if (performance.now() >= sliceEndMs) await pause();
    for (const piece of pieces) {
      chunk += piece;
      if (chunk.length >= CHUNK_LENGTH) {
        onChunk();
        yield chunk;
        chunk = '';
      }
      if (performance.now() >= sliceEndMs) await pause();
    }
  }
  if (chunk !== '') {
    onChunk();
    yield chunk;
  }
}
