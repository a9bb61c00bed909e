// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { attributes, span, spanId } from '@spoor/core/query/testing/example-span.ts';
import { batchOf } from '@spoor/core/query/testing/span-body.ts';
import { Head } from './head.ts';
import { readSlab, SLAB_BYTES, type Slab, type SlabRoom } from './slab.ts';

/** A seal under way, which the test ends. */
interface Seal {
  readonly slab: Slab;
  readonly rows: number;
  readonly finish: () => Promise<void>;
}

/** A head of slabs of ten rows whose seals end when they are told to. */
class HeadFixture {
  readonly seals: Seal[] = [];
  readonly head: Head;
  #sequence = 0;

  constructor() {
    this.head = new Head({
      slabRows: 10,
      seal: (slab) =>
        new Promise((resolve) => {
          const finish = (): Promise<void> => {
            resolve();
            return turn();
          };
          this.seals.push({ slab, rows: slab.rows, finish });
        }),
    });
  }

  /** Places a batch and commits it at once. */
  async write(rows: number, bytes = 0): Promise<Slab> {
    return this.head.place(batchOfRows(rows, bytes), 0, async (room) => {
      this.commit(room);
      return room.slab;
    });
  }

  commit({ slab, ...room }: SlabRoom): void {
    slab.commit({ slab, ...room }, ++this.#sequence);
    this.head.settled(slab);
  }

  /** Places a batch whose commit is up to the test. */
  async hold(rows: number): Promise<SlabRoom> {
    return this.head.place(batchOfRows(rows), 0, async (room) => room);
  }

  /** Rows of what a reader sees. */
  visibleRows(): number {
    const { views, release } = this.head.pin();
    const batches = views.flatMap((view) => [...readSlab(view)]);
    release();
    return batches.reduce((sum, { batch }) => sum + batch.rows, 0);
  }
}

function batchOfRows(rows: number, bytes = 0) {
  const filler = attributes({ filler: new Uint8Array(bytes) });
  return batchOf(
    Array.from({ length: rows }, (_, i) => span({ spanId: spanId(i + 1), attributes: filler })),
  );
}

/** Lets everything run that can run without an event from outside. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

test('batches fill a slab, and the one that would overfill it begins the next', async () => {
  const { head, ...fixture } = fixtureOf();
  const first = await fixture.write(6);
  assert.equal(await fixture.write(4), first);
  assert.equal(fixture.seals().length, 0);
  const second = await fixture.write(1);
  assert.notEqual(second, first);
  await turn();
  assert.deepEqual(fixture.seals().map(({ slab, rows }) => [slab, rows]), [[first, 10]]);
  assert.equal(head.rows, 11);
});

function fixtureOf() {
  const fixture = new HeadFixture();
  return {
    head: fixture.head,
    write: (rows: number, bytes?: number) => fixture.write(rows, bytes),
    hold: (rows: number) => fixture.hold(rows),
    commit: (room: SlabRoom) => fixture.commit(room),
    visibleRows: () => fixture.visibleRows(),
    seals: () => fixture.seals,
  };
}
