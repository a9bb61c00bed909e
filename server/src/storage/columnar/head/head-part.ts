// SPDX-License-Identifier: Apache-2.0
import type { HeadBatch } from './head-batch.ts';
import { HeadIndex, type HeadRows } from './head-index.ts';
import { HeadNames } from './head-names.ts';

/**
 * The batches of a tenant in one life of a slab, with an index of their traces, which are numbered as they come. Batches are
 * only added; all of it goes with the slab, which bounds it.
 *
 * The index and the names are made and brought up to date when they are asked, batch by batch: who does not need them does not pay for
 * them, and a slab may have parts of thousands of tenants about which nobody asks.
 */
export class HeadPart {
  readonly #batches: HeadBatch[] = [];
  #names: HeadNames | undefined;
  /** Batches that the names are of. */
  #named = 0;
  #index: HeadIndex | undefined;

  /** @param batches in order */
  static of(batches: readonly HeadBatch[]): HeadPart {
    const part = new HeadPart();
    for (const batch of batches) part.add(batch);
    return part;
  }

  /** In the order in which they came. */
  get batches(): readonly HeadBatch[] {
    return this.#batches;
  }

  /** What the batches name. */
  get names(): HeadNames {
    const names = (this.#names ??= new HeadNames());
    for (; this.#named < this.#batches.length; this.#named++) {
      names.add(this.#batches[this.#named]!.batch);
    }
    return names;
  }

  add(batch: HeadBatch): void {
    this.#batches.push(batch);
  }

  /** The number of the trace with the id at `words[at, at + 4)`; -1 without rows of it. */
  find(words: Uint32Array, at: number): number {
    return this.#indexed().numbers.find(words, at);
  }

  /** Ids of all traces by number, four words each. */
  get ids(): Uint32Array {
    return this.#indexed().numbers.words;
  }

  /** The numbers of the traces of a batch, by their numbers there, ascending where they are new. @param at number of the batch */
  tracesOf(at: number): Uint32Array {
    return this.#indexed().tracesOf(at);
  }

  /** Rows of a trace, batch by batch; none of -1. */
  rowsOf(trace: number): HeadRows[] {
    return this.#indexed().rowsOf(trace);
  }

  #indexed(): HeadIndex {
    const index = (this.#index ??= new HeadIndex());
    index.update(this.#batches);
    return index;
  }
}
