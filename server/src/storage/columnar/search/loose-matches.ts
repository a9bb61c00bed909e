// SPDX-License-Identifier: Apache-2.0
import type { BlockReader } from '../block/block-reader.ts';
import type { HeadMatches } from './head-matches.ts';
import type { LoosePage } from './loose-pages.ts';
import type { LooseTrace } from './loose-trace.ts';
import type { LooseTraces } from './loose-traces.ts';
import type { SearchedBlock } from './searched-block.ts';

/** What {@link LooseMatches} looks into. */
interface LooseParts {
  readonly loose: LooseTraces;
  readonly head: HeadMatches;
  /** All blocks in the order in which they are searched. */
  readonly readers: () => readonly BlockReader[];
  readonly block: (reader: BlockReader) => SearchedBlock;
}

/** Which loose traces match, as far as their spans tell, while one question is answered. */
export class LooseMatches {
  readonly #loose: LooseTraces;
  readonly #head: HeadMatches;
  readonly #readers: () => readonly BlockReader[];
  readonly #block: (reader: BlockReader) => SearchedBlock;
  readonly #fewByBlock = new Map<SearchedBlock, readonly LooseTrace[]>();
  /** Whether a row of a block may match, once that was asked. */
  #isInBlocks: boolean | undefined;

  constructor({ loose, head, readers, block }: LooseParts) {
    this.#loose = loose;
    this.#head = head;
    this.#readers = readers;
    this.#block = block;
  }

  /**
   * Whether there is surely none, as what is in the head tells, and the indexes and dictionaries of blocks. Where the head has none, blocks
   * are asked, in the order in which they are searched, up to one that may: those before it would be looked into anyway.
   */
  get isNowhere(): boolean {
    if (this.#head.few?.size !== 0) return false;
    this.#isInBlocks ??= this.#readers().some((reader) => {
      const block = this.#block(reader);
      return block.mayMatchSome && block.mayHold;
    });
    return !this.#isInBlocks;
  }

  /** The only traces of a page that may match, by their numbers; undefined where there may be many. */
  fewOf(page: LoosePage): ReadonlySet<number> | undefined {
    const found = new Set<number>();
    if (page.isInHead) {
      const { few } = this.#head;
      if (few === undefined) return undefined;
      for (const trace of few.get(page.number) ?? []) found.add(trace);
    }
    const blocks = [...page.readers]
      .map((reader) => this.#block(reader))
      .filter(({ mayMatchSome }) => mayMatchSome);
    // They are asked up to the first one that may have it: the others where a trace of theirs is looked at.
    if (!blocks.some(({ mayHold }) => mayHold)) return found;
    for (const block of blocks) {
      const few = this.#fewIn(block);
      if (few === undefined) return undefined;
      for (const trace of few) if (trace.page === page.number) found.add(trace.number);
    }
    return found;
  }

  /** Loose traces with rows in a block that match, in the window or not; undefined where there may be many. */
  #fewIn(block: SearchedBlock): readonly LooseTrace[] | undefined {
    let few = this.#fewByBlock.get(block);
    if (few === undefined && block.fewTraces !== undefined) {
      const isLoose = this.#loose.looseOf(block.reader);
      few = block.fewTraces
        .filter((trace) => isLoose[trace] === 1)
        .map((trace) => this.#loose.get(block.idOf(trace))!);
      this.#fewByBlock.set(block, few);
    }
    return few;
  }

  /** Whether one of the parts of a trace may match, as far as indexes tell. */
  mayMatch(trace: LooseTrace): boolean {
    return (
      this.#head.mayMatch(trace) ||
      trace.blocks.some(({ reader, trace: t }) => this.#block(reader).mayMatchTrace(t))
    );
  }

  /** Whether a span of a trace is in the window and meets `where`. */
  matches(trace: LooseTrace): boolean {
    return (
      this.#head.matches(trace) ||
      trace.blocks.some(({ reader, trace: t }) => this.#block(reader).matches(t))
    );
  }
}
