// SPDX-License-Identifier: Apache-2.0
import type { LoopTurns } from './loop-turns.ts';

/**
 * Bytes that are sent at once: small enough to hold one per client, and so many that most answers with a trace are one: to send one in two
 * pieces takes as long as to make it. Less than what malloc takes from the system for itself.
 */
const CHUNK_BYTES = 124 * 1024;
/** Characters of text that become bytes at once: a text that stays for long is moved by each collection of the nursery. */
const TEXT_LENGTH = 8 * 1024;
/** Bytes that a character, as `length` counts, takes at most. */
const CHARACTER_BYTES = 3;
/** How long the event loop is kept at a time, in ms. */
const SLICE_MS = 10;

/**
 * Joins small pieces of text into chunks of up to 124 KiB of UTF-8, a longer piece alone. Between pieces it gives the event loop
 * free every 10 ms, and ends with the signal's reason when that fires.
 * @param turns those of all answers: in each turn of the loop one of them is made
 * @param onProgress called when a part has been made, which may take long and give little text, and before each chunk is handed out
 */
export async function* joinPieces(
  parts: AsyncIterable<Iterable<string>>,
  signal: AbortSignal,
  turns: LoopTurns,
  onProgress: () => void,
): AsyncGenerator<Buffer, void, undefined> {
  const chunk = new Chunk();
  let text = '';
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
      text += piece;
      if (text.length >= TEXT_LENGTH) {
        const full = chunk.add(text);
        text = '';
        if (full !== undefined) {
          onProgress();
          yield full;
        }
      }
      if (performance.now() >= sliceEndMs) await pause();
    }
    onProgress();
  }
  for (const last of [chunk.add(text), chunk.take()]) {
    if (last === undefined) continue;
    onProgress();
    yield last;
  }
}

/** Text that becomes bytes. */
class Chunk {
  #bytes: Buffer | undefined;
  #length = 0;

  /** @returns what was added before, where there is no room for both */
  add(text: string): Buffer | undefined {
    if (text === '') return undefined;
    const mostBytes = text.length * CHARACTER_BYTES;
    const hasRoom = this.#bytes === undefined || this.#length + mostBytes <= this.#bytes.length;
    const full = hasRoom ? undefined : this.take();
    // It is the last of an answer, or too long for others to follow.
    const isAlone = text.length < TEXT_LENGTH || mostBytes > CHUNK_BYTES;
    if (this.#bytes === undefined && isAlone) {
      this.#bytes = Buffer.from(text);
      this.#length = this.#bytes.length;
    } else {
      this.#bytes ??= Buffer.allocUnsafeSlow(CHUNK_BYTES);
      this.#length += this.#bytes.write(text, this.#length);
    }
    return full;
  }

  /** What was added since something was taken. */
  take(): Buffer | undefined {
    const taken = this.#bytes?.subarray(0, this.#length);
    this.#bytes = undefined;
    this.#length = 0;
    return taken;
  }
}
