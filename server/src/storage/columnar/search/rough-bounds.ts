// SPDX-License-Identifier: Apache-2.0
import type { SpanPredicate } from '@spoor/core/query/trace-query.ts';
import type { BlockReader } from '../block/block-reader.ts';
import { type LoosePage, type LoosePages, RoughLoose } from './loose-pages.ts';
import type { RoughTest, RoughTrace } from './rough-trace-test.ts';
import type { SearchedBlock, SearchTerms } from './searched-block.ts';

/** Tells of many traces at once that none of them matches, as far as their columns and questions before tell. */
export class RoughBounds {
  readonly #test: RoughTest | undefined;
  readonly #counted: SearchTerms['counted'];
  readonly #block: (reader: BlockReader) => SearchedBlock;
  readonly #page = new RoughLoose<LoosePage>((page, where) => this.#mostOn(page, where));
  readonly #pages = new RoughLoose<LoosePages>((pages, where) =>
    pages.knownMostOf(this.#counted(where)),
  );

  /**
   * @param test undefined where it tells nothing
   * @param block a block as it is searched
   */
  constructor(
    test: RoughTest | undefined,
    { counted }: Pick<SearchTerms, 'counted'>,
    block: (reader: BlockReader) => SearchedBlock,
  ) {
    this.#test = test;
    this.#counted = counted;
    this.#block = block;
  }

  /** Whether one of these traces may match. */
  mayMatch(trace: RoughTrace): boolean {
    return this.#test?.(trace) !== false;
  }

  /** Whether a trace that is wholly in a group may match. */
  mayMatchIn(block: SearchedBlock, group: number): boolean {
    return block.mayMatch(group) && this.mayMatch(block.roughlyIn(group));
  }

  /** In how many groups of a block a trace that is wholly there may match. */
  groupsOf(block: SearchedBlock): number {
    if (!block.mayMatchSome) return 0;
    if (this.#test === undefined) return block.matchingGroups;
    if (!this.#test(block.roughlyAll)) return 0;
    let count = 0;
    for (let g = 0; g < block.reader.footer.groups.length; g++) {
      if (this.mayMatchIn(block, g)) count++;
    }
    return count;
  }

  /** Whether a trace of a page may match. */
  mayMatchOn(page: LoosePage): boolean {
    this.#page.group = page;
    return this.mayMatch(this.#page);
  }

  /** Whether a trace of one of all pages may match. */
  mayMatchOnSome(pages: LoosePages): boolean {
    this.#pages.group = pages;
    return this.mayMatch(this.#pages);
  }

  /** No trace of a page has more spans that meet a predicate. */
  #mostOn(page: LoosePage, where: SpanPredicate): number {
    return page.mostOf(this.#counted(where), ({ head, blocks }) => {
      let most = 0;
      for (const part of head) most += part.head.traces.columns.spans[part.trace]!;
      for (const { reader, trace } of blocks) most += this.#block(reader).mostOf(where, trace);
      return most;
    });
  }
}
