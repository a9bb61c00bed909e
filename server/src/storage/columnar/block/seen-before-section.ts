// SPDX-License-Identifier: Apache-2.0
import type { ChunkRef } from './block-format.ts';
import type { BlockSection, SectionRows } from './block-section.ts';
import { encodeCodes } from './chunk-codec.ts';
import type { FrameWriter } from './frame-writer.ts';

/**
 * Says of each trace whether an older block had rows of it when this one was written. So of the blocks with rows of a trace all but
 * the first say so, and a trace that no block marks is whole where it is.
 */
export class SeenBeforeSection implements BlockSection<ChunkRef> {
  readonly #isSeen: (traceIds: Uint8Array, offset: number) => boolean;
  #marks = new Uint32Array(1024);
  #count = 0;

  /** @param isSeen asked once for each trace, in order, with the place of its id */
  constructor(isSeen: (traceIds: Uint8Array, offset: number) => boolean) {
    this.#isSeen = isSeen;
  }

  add({ columns, rows, traceStarts }: SectionRows): void {
    const traces = traceStarts.length - 1;
    if (this.#count + traces > this.#marks.length) {
      const marks = new Uint32Array((this.#count + traces) * 2);
      marks.set(this.#marks);
      this.#marks = marks;
    }
    for (let trace = 0; trace < traces; trace++) {
      const isSeen = this.#isSeen(columns.traceId, rows[traceStarts[trace]!]! * 16);
      this.#marks[this.#count++] = isSeen ? 1 : 0;
    }
  }

  finish(frames: FrameWriter): ChunkRef {
    return frames.chunk('split traces', (sink) => encodeCodes(sink, this.#marks, this.#count));
  }
}
