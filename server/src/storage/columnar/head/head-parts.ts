// SPDX-License-Identifier: Apache-2.0
import { HeadBatch } from './head-batch.ts';
import { HeadPart } from './head-part.ts';
import { readSlab, type SlabView } from './slab.ts';

/** What was read of a slab in its present life. */
interface ReadSlab {
  readonly generation: number;
  readUpto: number;
  /** By tenant number. */
  readonly parts: Map<number, HeadPart>;
}

/** The parts of the slabs that questions show, each batch opened once. They are let go when a question shows that their slab is gone. */
export class HeadParts {
  readonly #slabs = new Map<number, ReadSlab>();
  readonly #onGone: (part: HeadPart) => void;

  /** @param onGone told of each part that no question will see again */
  constructor(onGone: (part: HeadPart) => void) {
    this.#onGone = onGone;
  }

  /**
   * The parts of a tenant, in the order of the slabs.
   * @param slabs all that have spans in no block
   */
  of(slabs: readonly SlabView[], tenantNumber: number): HeadPart[] {
    this.#forgetAllBut(new Set(slabs.map(({ id }) => id)));
    return slabs.flatMap((slab) => this.#read(slab).get(tenantNumber) ?? []);
  }

  #read(slab: SlabView): ReadonlyMap<number, HeadPart> {
    let known = this.#slabs.get(slab.id);
    if (known?.generation !== slab.generation) {
      this.#forget(slab.id);
      known = { generation: slab.generation, readUpto: 0, parts: new Map() };
      this.#slabs.set(slab.id, known);
    }
    for (const { tenantNumber, batch } of readSlab(slab, known.readUpto)) {
      let part = known.parts.get(tenantNumber);
      if (part === undefined) known.parts.set(tenantNumber, (part = new HeadPart()));
      part.add(new HeadBatch(batch));
    }
    known.readUpto = Math.max(known.readUpto, slab.committed);
    return known.parts;
  }

  #forgetAllBut(shown: ReadonlySet<number>): void {
    for (const id of this.#slabs.keys()) if (!shown.has(id)) this.#forget(id);
  }

  #forget(id: number): void {
    for (const part of this.#slabs.get(id)?.parts.values() ?? []) this.#onGone(part);
    this.#slabs.delete(id);
  }
}
