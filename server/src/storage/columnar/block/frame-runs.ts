// SPDX-License-Identifier: Apache-2.0
import type { BlockFooter, ChunkRef } from './block-format.ts';

/** Raw bytes that are read at once: more saves nothing, and with what is stored they fit into a scratch. */
const RUN_BYTES = 256 << 10;

/** Chunks `[first, end)` of a list. */
export interface FrameRun {
  readonly first: number;
  readonly end: number;
}

/**
 * Cuts a list of chunks where they cannot be read together. Those of a run of several have frames of their own, compressed, which stand
 * one after the other in the file.
 */
export function* frameRuns(
  { frames }: Pick<BlockFooter, 'frames'>,
  refs: readonly ChunkRef[],
): Generator<FrameRun, void, undefined> {
  for (let first = 0; first < refs.length;) {
    let end = first;
    let rawBytes = 0;
    let fileEnd = -1;
    for (; end < refs.length; end++) {
      const [frame, , length] = refs[end]!;
      const offset = frames[frame * 4]!;
      // A chunk in a frame with others is smaller than it, as is one in a frame that is not compressed.
      if (frames[frame * 4 + 2] !== length) break;
      if (fileEnd >= 0 && (offset !== fileEnd || rawBytes + length > RUN_BYTES)) break;
      rawBytes += length;
      fileEnd = offset + frames[frame * 4 + 1]!;
    }
    if (end === first) end++;
    yield { first, end };
    first = end;
  }
}
