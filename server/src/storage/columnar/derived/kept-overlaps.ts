// SPDX-License-Identifier: Apache-2.0
import type { CountedEdges, CountedSpans } from '#storage/counted.ts';
import type { DerivedCounts } from '#storage/derived-counts.ts';

/** All that is counted of some spans. */
export interface Counted {
  readonly edges: CountedEdges;
  readonly spans: CountedSpans;
}

/** What was counted so far. */
export function countedOf(counts: DerivedCounts): Counted {
  return { edges: counts.edges(), spans: counts.spans() };
}

/** What a block changes in the traces that it shares with blocks before it. */
export interface Overlap {
  /** Blocks that were before it; no other may have come there. */
  readonly seen: ReadonlySet<number>;
  /** Those of them that it shares traces with; none may be gone. */
  readonly shared: ReadonlySet<number>;
  readonly counted: Counted;
}

/** A block's overlap, with what tells whether the block is still the same. */
export interface StoredOverlap extends Overlap {
  readonly id: number;
  /** See `BlockReader.checksum`. */
  readonly checksum: number;
}

/** Where overlaps are kept from start to start. */
export interface OverlapStore {
  /** What was written last; nothing where it cannot be read, since all of it can be counted again. */
  read(): readonly StoredOverlap[];
  /** Takes the place of what was written before. What fails is left, and tried again with the next. */
  write(overlaps: readonly StoredOverlap[]): void;
}

/** The overlaps of the blocks of a tenant, by the ids of the blocks, and whether they are in the {@link OverlapStore} as well. */
export class KeptOverlaps {
  readonly #store: OverlapStore | undefined;
  readonly #byBlock = new Map<number, Overlap>();
  #isRead = false;
  #isChanged = false;

  /** @param store without it nothing is kept beyond this object */
  constructor(store?: OverlapStore) {
    this.#store = store;
  }

  /** What each of these blocks changes, given all in order; undefined where that is not known. */
  of(ids: readonly number[]): (Overlap | undefined)[] {
    const before = new Set<number>();
    return ids.map((id) => {
      const known = this.#byBlock.get(id);
      const isValid =
        known !== undefined && before.isSubsetOf(known.seen) && known.shared.isSubsetOf(before);
      before.add(id);
      return isValid ? known : undefined;
    });
  }

  set(id: number, overlap: Overlap): void {
    this.#byBlock.set(id, overlap);
    this.#isChanged = true;
  }

  /**
   * Takes over what the store has of these blocks, once.
   * @param checksums of the blocks by their ids. A manifest that lost its end can give an id again
   */
  read(checksums: () => ReadonlyMap<number, number>): void {
    if (this.#isRead) return;
    const stored = this.#store?.read() ?? [];
    const present = stored.length === 0 ? NO_CHECKSUMS : checksums();
    // Not before: what fails is tried again, and the file not written over.
    this.#isRead = true;
    if (stored.length === 0) return;
    const same = stored.filter(({ id, checksum }) => present.get(id) === checksum);
    const ids = new Set(same.map(({ id }) => id));
    for (const { id, seen, shared, counted } of same) {
      this.#byBlock.set(id, { seen: seen.intersection(ids), shared, counted });
    }
    this.#isChanged = same.length < stored.length;
  }

  /** Forgets all blocks but these. */
  keepOnly(ids: readonly number[]): void {
    const kept = new Set(ids);
    for (const id of this.#byBlock.keys()) {
      if (kept.has(id)) continue;
      this.#byBlock.delete(id);
      this.#isChanged = true;
    }
  }

  /** Writes what the store does not have yet. @param checksums as for {@link read} */
  write(checksums: () => ReadonlyMap<number, number>): void {
    if (!this.#isChanged || this.#store === undefined) return;
    const present = checksums();
    this.#store.write(
      [...this.#byBlock].flatMap(([id, overlap]) => {
        const checksum = present.get(id);
        return checksum === undefined ? [] : [{ id, checksum, ...overlap }];
      }),
    );
    this.#isChanged = false;
  }
}

const NO_CHECKSUMS: ReadonlyMap<number, number> = new Map();
