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
  readonly block: (reader: BlockReader) => SearchedBlock;
}

/** Which loose traces match, as far as their spans tell, while one question is answered. */
export class LooseMatches {
  readonly #loose: LooseTraces;
  readonly #head: HeadMatches;
  readonly #block: (reader: BlockReader) => SearchedBlock;
  readonly #fewByBlock = new Map<SearchedBlock, readonly LooseTrace[]>();

  constructor({ loose, head, block }: LooseParts) {
    this.#loose = loose;
    this.#head = head;
    this.#block = block;
  }

  /** The only traces of a page that may match; undefined where there may be many. */
  fewOf(page: LoosePage): ReadonlySet<LooseTrace> | undefined {
    const found = new Set<LooseTrace>();
    if (page.isInHead) {
      const { few } = this.#head;
      if (few === undefined) return undefined;
      for (const trace of few.get(page) ?? []) found.add(trace);
    }
    const blocks = [...page.readers]
      .map((reader) => this.#block(reader))
      .filter(({ mayMatchSome }) => mayMatchSome);
    // They are asked up to the first one that may have it: the others where a trace of theirs is looked at.
    if (!blocks.some(({ mayHold }) => mayHold)) return found;
    for (const block of blocks) {
      const few = this.#fewIn(block);
      if (few === undefined) return undefined;
      for (const trace of few) if (trace.page === page) found.add(trace);
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
