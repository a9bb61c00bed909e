// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { SpoorError } from '@spoor/core/model/errors.ts';
import { attributes, span, spanId } from '@spoor/core/query/testing/example-span.ts';
import { batchOf } from '@spoor/core/query/testing/span-body.ts';
import { Head } from './head.ts';
import { readSlab, SLAB_BYTES, type Slab, type SlabRoom, type SlabView } from './slab.ts';

/** A batch of so many rows; the first one has an attribute of so many bytes. */
function batchOfRows(rows: number, bytes = 0) {
  const filler = attributes({ filler: new Uint8Array(bytes) });
  return batchOf(
    Array.from({ length: rows }, (_, i) =>
      span({ spanId: spanId(i + 1), attributes: i === 0 ? filler : [] }),
    ),
  );
}

const LARGE_BYTES = 11 << 20;

/** Lets everything run that can run without an event from outside. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** No shared memory can be had until it is restored. */
function takeMemory(t: TestContext): { restore: () => void } {
  return t.mock.method(globalThis, 'SharedArrayBuffer', () => {
    throw new RangeError('Array buffer allocation failed');
  }).mock;
}

/** A head of slabs of ten rows or six batches; a test decides when commits and seals end. */
class HeadFixture {
  readonly head: Head;
  nowMs = 1000;
  /** Seals under way or done, in order. */
  readonly seals: {
    readonly slab: Slab;
    readonly rows: number;
    readonly end: () => void;
    readonly giveUp: (error: unknown) => void;
  }[] = [];
  #sequence = 0;

  constructor() {
    this.head = new Head({
      slabRows: 10,
      slabBatches: 6,
      seal: (slab) =>
        new Promise((resolve, reject) => {
          this.seals.push({ slab, rows: slab.rows, end: resolve, giveUp: reject });
        }),
    });
  }

  /** Rows of the slabs whose sealing was begun, in order. */
  get sealedRows(): number[] {
    return this.seals.map(({ rows }) => rows);
  }

  async endSeal(number: number): Promise<void> {
    this.seals[number]!.end();
    await turn();
  }

  /** Places a batch whose commit is up to the test. */
  hold(rows: number, bytes = 0): Promise<SlabRoom> {
    return this.head.place(batchOfRows(rows, bytes), 0, async (room) => room);
  }

  commit(room: SlabRoom): void {
    room.slab.commit(room, ++this.#sequence, this.nowMs);
    this.head.settled(room.slab);
  }

  /** Places a batch and commits it. */
  async write(rows: number, bytes = 0): Promise<Slab> {
    const room = await this.hold(rows, bytes);
    this.commit(room);
    await turn();
    return room.slab;
  }

  /** Places batches that may have to wait; `done` lists the ones that were served, by their number. */
  queue(...batches: (readonly [rows: number, bytes: number])[]): { done: number[] } {
    const done: number[] = [];
    batches.forEach(([rows, bytes], i) => {
      void this.head
        .place(batchOfRows(rows, bytes), 0, async (room) => {
          done.push(i);
          this.commit(room);
        })
        .catch(() => done.push(-1));
    });
    return { done };
  }
}

function rowsOf(views: readonly SlabView[]): number[] {
  return views.flatMap((view) => Array.from(readSlab(view), ({ batch }) => batch.rows));
}

function visibleRows(head: Head): number[] {
  const { views, release } = head.pin();
  const rows = rowsOf(views);
  release();
  return rows;
}

test('batches fill a slab, and the one that would overfill it begins the next', async () => {
  const fixture = new HeadFixture();
  const first = await fixture.write(6);
  assert.equal(await fixture.write(4), first);
  assert.deepEqual(fixture.seals, []);
  const second = await fixture.write(1);
  assert.notEqual(second, first);
  assert.deepEqual(
    fixture.seals.map(({ slab, rows }) => [slab, rows]),
    [[first, 10]],
  );
  assert.equal(fixture.head.rows, 11);
  assert.ok(fixture.head.usedBytes > 0);
});

test('a batch of more rows than a slab is for has one to itself', async () => {
  const fixture = new HeadFixture();
  await fixture.write(25);
  await fixture.write(1);
  assert.deepEqual(fixture.sealedRows, [25]);
});

test('batches of few rows fill a slab by their number', async () => {
  const fixture = new HeadFixture();
  const first = await fixture.write(1);
  for (let i = 0; i < 5; i++) assert.equal(await fixture.write(1), first);
  assert.deepEqual(fixture.sealedRows, []);
  assert.notEqual(await fixture.write(1), first);
  assert.deepEqual(fixture.sealedRows, [6]);
  await fixture.endSeal(0);
  for (let i = 0; i < 5; i++) await fixture.write(1);
  // Memory that is used again begins without batches.
  for (let i = 0; i < 6; i++) assert.equal(await fixture.write(1), first);
  assert.deepEqual(fixture.sealedRows, [6, 6]);
});

test('what waits for its slab to be full waits since the first batch that can be seen came', async () => {
  const fixture = new HeadFixture();
  const { head } = fixture;
  const expectSince = (ms: number): void => assert.equal(head.waitsSinceMs, ms);
  expectSince(Infinity);
  const held = await fixture.hold(1);
  expectSince(Infinity);
  fixture.commit(held);
  expectSince(1000);
  fixture.nowMs = 2000;
  await fixture.write(5);
  expectSince(1000);
  await fixture.write(9);
  expectSince(2000);
  head.seal();
  expectSince(Infinity);
  for (let i = 0; i < 2; i++) {
    await turn();
    await fixture.endSeal(i);
  }
  assert.deepEqual(fixture.sealedRows, [6, 9]);
  fixture.nowMs = 3000;
  await fixture.write(1);
  expectSince(3000);
});

test('slabs are sealed one at a time, in the order in which they were filled', async () => {
  const fixture = new HeadFixture();
  for (const rows of [8, 9, 10]) await fixture.write(rows);
  assert.deepEqual(fixture.sealedRows, [8]);
  await fixture.endSeal(0);
  assert.deepEqual(fixture.sealedRows, [8, 9]);
  await fixture.write(10);
  await fixture.endSeal(1);
  assert.deepEqual(fixture.sealedRows, [8, 9, 10]);
});

test('a full slab is sealed only when all its commits have ended', async () => {
  const fixture = new HeadFixture();
  const [first, second] = [await fixture.hold(5), await fixture.hold(5)];
  const third = await fixture.hold(5);
  fixture.commit(first);
  await turn();
  assert.deepEqual(fixture.sealedRows, []);
  fixture.commit(second);
  fixture.commit(third);
  await turn();
  assert.deepEqual(fixture.sealedRows, [10]);
});

test('what is in a slab is seen until it is sealed, and then no more', async () => {
  const fixture = new HeadFixture();
  await fixture.write(3);
  const held = await fixture.hold(7);
  assert.deepEqual(visibleRows(fixture.head), [3]);
  fixture.commit(held);
  await fixture.write(2);
  assert.deepEqual(visibleRows(fixture.head), [3, 7, 2]);
  await fixture.endSeal(0);
  assert.deepEqual(visibleRows(fixture.head), [2]);
  assert.equal(fixture.head.rows, 2);
});

test('writers wait when all slabs are full, and are served in order', async () => {
  const fixture = new HeadFixture();
  const { head } = fixture;
  for (let i = 0; i < 3; i++) await fixture.write(10);
  const { done } = fixture.queue([6, 0], [7, 0], [3, 0], [1, 0], [9, 0]);
  await turn();
  assert.deepEqual([done, head.waiting, head.rows], [[], 5, 30]);
  await fixture.endSeal(0);
  // The second does not fit beside the first, and nobody overtakes it.
  assert.deepEqual([done, head.waiting], [[0], 4]);
  await fixture.endSeal(1);
  assert.deepEqual([done, head.waiting], [[0, 1, 2], 2]);
  await fixture.endSeal(2);
  assert.deepEqual([done, head.waiting], [[0, 1, 2, 3, 4], 0]);
  assert.deepEqual(fixture.sealedRows, [10, 10, 10, 6]);
});

test('a batch that comes while others wait does not overtake them, though it would fit', async () => {
  const fixture = new HeadFixture();
  for (const rows of [10, 10, 9]) await fixture.write(rows);
  const { done } = fixture.queue([5, 0], [1, 0]);
  await turn();
  assert.deepEqual(done, []);
  await fixture.endSeal(0);
  assert.deepEqual(done, [0, 1]);
});

test('a reader keeps what it sees, and no writer waits for it', async () => {
  const fixture = new HeadFixture();
  const { head } = fixture;
  const slabs = new Set<Slab>();
  for (let i = 0; i < 3; i++) slabs.add(await fixture.write(10));
  const [reader, other] = [head.pin(), head.pin()];
  const { done } = fixture.queue([4, 0]);
  await turn();
  assert.deepEqual(done, []);
  await fixture.endSeal(0);
  assert.deepEqual(done, [0]);
  assert.deepEqual(visibleRows(head), [10, 10, 4]);
  for (let i = 1; i < 6; i++) {
    await fixture.endSeal(i);
    assert.ok(!slabs.has(await fixture.write(10)));
  }
  assert.equal(head.waiting, 0);
  for (const { views } of [reader, other]) assert.deepEqual(rowsOf(views), [10, 10, 10]);
});

test('a slab that was left to a reader is not used again; one that was not is', async () => {
  const fixture = new HeadFixture();
  const { head } = fixture;
  const first = await fixture.write(10);
  const reader = head.pin();
  const others = [await fixture.write(10), await fixture.write(10)];
  await fixture.endSeal(0);
  others.push(await fixture.write(10));
  reader.release();
  const last = head.pin();
  for (let i = 1; i < 3; i++) await fixture.endSeal(i);
  last.release();
  const used: Slab[] = [];
  for (let i = 3; i < 9; i++) {
    used.push(await fixture.write(10));
    await fixture.endSeal(i);
  }
  assert.ok(!used.includes(first));
  assert.ok(used.every((slab) => others.includes(slab)));
});

test('memory that is used again is of another generation', async () => {
  const fixture = new HeadFixture();
  for (let i = 0; i < 3; i++) await fixture.write(10);
  const { views, release } = fixture.head.pin();
  release();
  await fixture.endSeal(0);
  const slab = await fixture.write(1);
  const before = views.find(({ id }) => id === slab.id);
  assert.equal(before!.buffer, slab.buffer);
  assert.notEqual(before!.generation, slab.generation);
});

test('a write that fails leaves no trace, and others go on', async () => {
  const fixture = new HeadFixture();
  const { head } = fixture;
  await fixture.write(2);
  const lost = head.place(batchOfRows(3), 0, async ({ slab, ...room }) => {
    slab.abandon({ slab, ...room }, 3);
    head.settled(slab);
    throw new Error('the disk is full');
  });
  await assert.rejects(lost, /the disk is full/);
  await fixture.write(4);
  assert.deepEqual(visibleRows(head), [2, 4]);
  assert.equal(head.rows, 6);
});

test('a slab whose batches were all given up is not sealed, but used again', async () => {
  const fixture = new HeadFixture();
  const { head } = fixture;
  for (let i = 0; i < 8; i++) {
    const room = await fixture.hold(10);
    room.slab.abandon(room, 10);
    head.settled(room.slab);
    await head.drain();
  }
  assert.deepEqual(fixture.sealedRows, []);
  assert.deepEqual([head.rows, head.waiting], [0, 0]);
  await fixture.write(1);
});

test('a large batch has a slab of its own size, sealed in its turn and not kept', async () => {
  const fixture = new HeadFixture();
  const { head } = fixture;
  const before = await fixture.write(3);
  const large = await fixture.write(4, LARGE_BYTES);
  const after = await fixture.write(5);
  assert.ok(large.buffer.byteLength < SLAB_BYTES && large.buffer.byteLength > LARGE_BYTES);
  assert.notEqual(after, before);
  assert.deepEqual(visibleRows(head), [3, 4, 5]);
  assert.deepEqual(fixture.sealedRows, [3]);
  await fixture.endSeal(0);
  assert.deepEqual(fixture.sealedRows, [3, 4]);
  await fixture.endSeal(1);
  assert.deepEqual(visibleRows(head), [5]);
  // Its memory is not kept for others: the first slab is used again, and a third one made.
  assert.equal(await fixture.write(10), before);
  const third = await fixture.write(10);
  assert.ok(third !== large && third.buffer.byteLength === SLAB_BYTES);
});

test('a second large batch waits until the first one is sealed', async () => {
  const fixture = new HeadFixture();
  await fixture.write(1, LARGE_BYTES);
  const { done } = fixture.queue([2, LARGE_BYTES], [3, 0]);
  await turn();
  assert.deepEqual(done, []);
  await fixture.endSeal(0);
  assert.deepEqual(done, [0, 1]);
  assert.deepEqual(visibleRows(fixture.head), [2, 3]);
});

test('draining seals what there is, also where it is little, and waits for it', async () => {
  const fixture = new HeadFixture();
  const { head } = fixture;
  await head.drain();
  await fixture.write(10);
  await fixture.write(2);
  let isDrained = false;
  const drained = head.drain().then(() => (isDrained = true));
  await fixture.endSeal(0);
  assert.equal(isDrained, false);
  assert.deepEqual(fixture.sealedRows, [10, 2]);
  await fixture.endSeal(1);
  await drained;
  assert.equal(head.rows, 0);
  await fixture.write(1);
  assert.deepEqual(visibleRows(head), [1]);
});

test('draining waits for a slab whose commits are still under way', async () => {
  const fixture = new HeadFixture();
  const { head } = fixture;
  await fixture.write(2);
  const room = await fixture.hold(3);
  let isDrained = false;
  const drained = head.drain().then(() => (isDrained = true));
  await turn();
  assert.deepEqual([isDrained, fixture.sealedRows], [false, []]);
  fixture.commit(room);
  await turn();
  assert.deepEqual([isDrained, fixture.sealedRows], [false, [5]]);
  await fixture.endSeal(0);
  await drained;
});

test('a slab whose sealing is given up stays, and who waits for it or for its room is told', async () => {
  const fixture = new HeadFixture();
  const { head } = fixture;
  for (let i = 0; i < 3; i++) await fixture.write(9);
  const { done } = fixture.queue([5, 0]);
  const drained = assert.rejects(head.drain(), /given up/);
  await turn();
  assert.deepEqual(done, []);
  fixture.seals[0]!.giveUp(new SpoorError('unavailable', 'given up'));
  await drained;
  assert.deepEqual([done, head.waiting], [[-1], 0]);
  await assert.rejects(fixture.hold(5), /given up/);
  await assert.rejects(head.drain(), /given up/);
  assert.deepEqual(visibleRows(head), [9, 9, 9]);
  // Others are still sealed, and have room for what comes.
  for (let i = 1; i < 3; i++) await fixture.endSeal(i);
  assert.deepEqual(fixture.sealedRows, [9, 9, 9]);
  assert.deepEqual(visibleRows(head), [9]);
  await fixture.write(4);
  assert.deepEqual(visibleRows(head), [9, 4]);
  await assert.rejects(head.drain(), /given up/);
});

test('a batch is refused where there is no memory for it, and the next one tries again', async (t) => {
  const fixture = new HeadFixture();
  const memory = takeMemory(t);
  for (let i = 0; i < 8; i++) {
    const bytes = i % 2 === 0 ? 0 : LARGE_BYTES;
    await assert.rejects(fixture.hold(10, bytes), { name: 'SpoorError', code: 'overloaded' });
  }
  memory.restore();
  const slabs = new Set<Slab>();
  for (let i = 0; i < 3; i++) slabs.add(await fixture.write(10));
  assert.equal(slabs.size, 3);
});

test('batches that wait are refused where there is no memory for them, and sealing goes on', async (t) => {
  const fixture = new HeadFixture();
  const { head } = fixture;
  const slabs: Slab[] = [];
  for (let i = 0; i < 3; i++) slabs.push(await fixture.write(10));
  const { release } = head.pin();
  const { done } = fixture.queue([10, 0], [10, LARGE_BYTES]);
  const memory = takeMemory(t);
  await fixture.endSeal(0);
  assert.deepEqual(done, [-1, -1]);
  memory.restore();
  const drained = head.drain();
  await fixture.endSeal(1);
  await fixture.endSeal(2);
  await drained;
  release();
  assert.deepEqual(
    slabs.map(({ pins }) => pins),
    [0, 0, 0],
  );
  // None is lost.
  const again = new Set<Slab>();
  for (let i = 0; i < 3; i++) again.add(await fixture.write(10));
  assert.deepEqual(again, new Set(slabs));
});
