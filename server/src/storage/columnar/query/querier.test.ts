// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_TENANT, parseTenant, type Tenant } from '@spoor/core/model/ids.ts';
import type { BlockEntry } from '../manifest/manifest-edit.ts';
import { StoreWork } from '../live/store-work.ts';
import { Querier } from './querier.ts';
import type { QueryReply, QueryRequest } from './query-messages.ts';

const ACME = parseTenant('acme');

/** Times in which nobody asks, after a start and later. */
const REST_MS = [1000, 250];

const STOPPED = { error: { code: 'cancelled', message: 'stopped' } } as const;

/** What the worker was asked, and how it answers. */
interface Asked {
  readonly request: QueryRequest;
  readonly answer: (reply?: Partial<QueryReply>) => Promise<void>;
}

interface QuerierFixture {
  readonly querier: Querier;
  readonly asked: readonly Asked[];
  /** What the worker was told. */
  readonly told: readonly unknown[];
  /** Lets the time go on until nobody has asked for a while; does nothing when that is not waited for. */
  readonly passRest: () => void;
  /** Lets the time pass that the questions which are under way have. */
  readonly passSlices: () => void;
}

/** A querier of tenants with two blocks each, and all that it asked a worker, which answers when it is told to. */
function querierOf(tenants: readonly Tenant[], processors = 2): QuerierFixture {
  const asked: Asked[] = [];
  const told: unknown[] = [];
  let onRest: (() => void) | undefined;
  const slices = new Set<() => void>();
  const querier = new Querier({
    worker: {
      request: (make) =>
        new Promise((resolve) => {
          const request = make(asked.length + 1);
          const cache = { bytes: 0, hits: 0, misses: 0 };
          asked.push({
            request,
            answer: async (reply = {}) => {
              resolve({ id: request.id, damaged: [], cache, ...reply });
              await rest();
            },
          });
        }),
      notify: (message) => told.push(message),
      close: () => Promise.resolve(),
    },
    head: { pin: () => ({ views: [], release: () => undefined }) },
    blocks: {
      has: () => false,
      hold: () => () => undefined,
      noteDamage: () => undefined,
      readable: () =>
        tenants.flatMap((tenant) =>
          // Nothing else of a block is looked at.
          [1, 2].map((id) => ({ tenant, sizeBytes: 1000 * id }) as BlockEntry),
        ),
    },
    tenants: { find: () => 0 },
    work: new StoreWork(),
    later: (action, delayMs) => {
      if (!REST_MS.includes(delayMs)) {
        slices.add(action);
        return () => slices.delete(action);
      }
      onRest = action;
      return () => (onRest = undefined);
    },
    processors,
    hasRoomFor: () => true,
    checkOpen: () => undefined,
  });
  const passSlices = (): void => {
    for (const pass of slices) pass();
  };
  return { querier, asked, told, passRest: () => onRest?.(), passSlices };
}

/** Lets everything go on that waits for nothing. */
function rest(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function kinds(asked: readonly Asked[]): string[] {
  return asked.map(({ request }) => request.question.ask);
}

test('nothing is prepared before questions that wait already', async () => {
  const { querier, asked } = querierOf([DEFAULT_TENANT]);
  const answers = [1, 2, 3, 4].map(() => querier.ask(ACME, { ask: 'services' }, {}));
  for (let i = 0; i < answers.length; i++) {
    querier.tick();
    await asked[i]!.answer({ answer: [] });
  }
  await Promise.all(answers);
  assert.deepEqual(kinds(asked), ['services', 'services', 'services', 'services']);
  querier.tick();
  assert.deepEqual(kinds(asked).slice(4), ['prepare']);
});

test('a question stops what is prepared, and the next tenant too when one was done just then', async () => {
  const { querier, asked } = querierOf([DEFAULT_TENANT, ACME]);
  querier.tick();
  const answer = querier.ask(ACME, { ask: 'services' }, {});
  assert.equal(new Int32Array(asked[0]!.request.cancel)[0], 1);
  await asked[0]!.answer();
  assert.deepEqual(kinds(asked), ['prepare', 'services']);
  await asked[1]!.answer({ answer: [] });
  await answer;
  querier.tick();
  assert.deepEqual(kinds(asked), ['prepare', 'services', 'prepare']);
});

test('what a question stopped goes on once nobody has asked for a while', async () => {
  const { querier, asked, passRest } = querierOf([DEFAULT_TENANT]);
  const ask = async (): Promise<void> => {
    const answer = querier.ask(DEFAULT_TENANT, { ask: 'services' }, {});
    passRest();
    await asked.at(-2)?.answer(STOPPED);
    await asked.at(-1)!.answer({ answer: [] });
    await answer;
  };
  querier.start();
  await ask();
  assert.deepEqual(kinds(asked), ['prepare', 'services']);
  passRest();
  assert.deepEqual(kinds(asked).slice(2), ['prepare']);
  await ask();
  // Blocks that came are waited for as ever: they may be merged soon.
  querier.change({
    dir: '',
    added: [],
    removed: [{ tenant: DEFAULT_TENANT, id: 1 }],
    unreadable: [],
  });
  passRest();
  assert.equal(asked.length, 4);
  querier.tick();
  querier.tick();
  await asked.at(-1)!.answer();
  await ask();
  passRest();
  assert.deepEqual(kinds(asked).slice(4), ['prepare', 'services']);
});

test('with one processor a start has the worker begin, and prepared is what nobody has asked for at first', async () => {
  const { querier, asked, passRest } = querierOf([DEFAULT_TENANT], 1);
  querier.start();
  assert.deepEqual(kinds(asked), ['prepare']);
  assert.equal(new Int32Array(asked[0]!.request.cancel)[0], 1);
  await asked[0]!.answer(STOPPED);
  assert.equal(asked.length, 1);
  passRest();
  assert.deepEqual(kinds(asked), ['prepare', 'prepare']);
  assert.equal(new Int32Array(asked[1]!.request.cancel)[0], 0);
});

test('a start tells the worker how large the blocks are', () => {
  const { querier, told } = querierOf([DEFAULT_TENANT, ACME]);
  querier.start();
  assert.deepEqual(told, [{ blockBytes: 6000 }]);
});

test('what a question stopped does not go on when it ends after the querier', async () => {
  const { querier, asked, passRest } = querierOf([DEFAULT_TENANT]);
  querier.start();
  const answer = querier.ask(DEFAULT_TENANT, { ask: 'services' }, {});
  await asked[0]!.answer(STOPPED);
  await querier.close();
  await asked[1]!.answer({ answer: [] });
  await answer;
  passRest();
  assert.deepEqual(kinds(asked), ['prepare', 'services']);
});

test('a question that is asked anew without blocks that are gone is still given up', async () => {
  const { querier, asked } = querierOf([]);
  const controller = new AbortController();
  const { signal } = controller;
  const givenUp = assert.rejects(
    querier.ask(DEFAULT_TENANT, { ask: 'services' }, { signal }),
    /nobody waits/,
  );
  controller.abort();
  const gone = { tenant: DEFAULT_TENANT, id: 1, reason: 'no such file', isReadError: true };
  await asked[0]!.answer({ damaged: [gone] });
  assert.equal(new Int32Array(asked[1]!.request.cancel)[0], 1);
  const error = { code: 'cancelled', message: 'nobody waits' } as const;
  await asked[1]!.answer({ error });
  await givenUp;
});

test('what takes long is stopped for a trace by its id, and asked anew behind it', async () => {
  const { querier, asked, passSlices } = querierOf([DEFAULT_TENANT]);
  const services = querier.ask(DEFAULT_TENANT, { ask: 'services' }, {});
  const isStopped = (i: number): boolean => new Int32Array(asked[i]!.request.cancel)[0] === 1;
  const first = querier.ask(ACME, { ask: 'get', ids: [] }, {});
  assert.ok(!isStopped(0), 'it has just begun');
  passSlices();
  assert.ok(isStopped(0));
  await asked[0]!.answer(STOPPED);
  assert.deepEqual(kinds(asked), ['services', 'get', 'services']);
  await asked[1]!.answer({ answer: { traces: [], ids: 0 } });
  await first;
  passSlices();
  assert.ok(!isStopped(2), 'nobody waits');
  const second = querier.ask(ACME, { ask: 'get', ids: [] }, {});
  assert.ok(isStopped(2), 'its time has passed already');
  // It was done just then.
  await asked[2]!.answer({ answer: ['a'] });
  assert.deepEqual(await services, ['a']);
  await asked[3]!.answer({ answer: { traces: [], ids: 0 } });
  await second;
  assert.equal(asked.length, 4);
});

test('a count is stopped for a search, and a search for no other and for no count', async () => {
  const { querier, asked, passSlices } = querierOf([DEFAULT_TENANT]);
  const query = { fromMinute: 0, toMinute: 1 };
  const isStopped = (i: number): boolean => new Int32Array(asked[i]!.request.cancel)[0] === 1;
  const count = querier.ask(DEFAULT_TENANT, { ask: 'dependencies', query }, {});
  passSlices();
  const first = querier.ask(DEFAULT_TENANT, { ask: 'services' }, {});
  assert.ok(isStopped(0));
  await asked[0]!.answer(STOPPED);
  assert.deepEqual(kinds(asked), ['dependencies', 'services', 'dependencies']);
  const second = querier.ask(DEFAULT_TENANT, { ask: 'services' }, {});
  passSlices();
  assert.ok(!isStopped(1));
  assert.ok(!isStopped(2), 'it waits behind a search');
  await asked[1]!.answer({ answer: ['a'] });
  passSlices();
  assert.ok(isStopped(2), 'its time has passed while a search waits');
  await asked[2]!.answer(STOPPED);
  await asked[3]!.answer({ answer: ['b'] });
  await asked[4]!.answer({ answer: undefined });
  await Promise.all([count, first, second]);
  assert.deepEqual(kinds(asked).slice(3), ['services', 'dependencies']);
});

test('what was stopped is asked anew however many questions wait', async () => {
  const { querier, asked, passSlices } = querierOf([DEFAULT_TENANT]);
  const many = Array.from({ length: 1002 }, () =>
    querier.ask(DEFAULT_TENANT, { ask: 'services' }, {}),
  );
  await assert.rejects(
    querier.ask(DEFAULT_TENANT, { ask: 'services' }, {}),
    /1000 questions of the tenant wait/,
  );
  passSlices();
  const lookup = querier.ask(ACME, { ask: 'get', ids: [] }, {});
  await asked[0]!.answer(STOPPED);
  passSlices();
  // Now it is the turn of the other tenant, and a thousand still wait.
  await asked[1]!.answer(STOPPED);
  for (let i = 2; i < asked.length; i++) await asked[i]!.answer({ answer: [] });
  await Promise.all([...many, lookup]);
  assert.equal(asked.length, 1005);
});

test('what gives way is not asked anew when nobody waits for it, or it fails', async () => {
  const { querier, asked, passSlices } = querierOf([DEFAULT_TENANT]);
  const abort = new AbortController();
  const { signal } = abort;
  const left = assert.rejects(
    querier.ask(DEFAULT_TENANT, { ask: 'services' }, { signal }),
    /stopped/,
  );
  const failed = assert.rejects(
    querier.ask(DEFAULT_TENANT, { ask: 'services' }, {}),
    /out of luck/,
  );
  const get = querier.ask(ACME, { ask: 'get', ids: [] }, {});
  abort.abort();
  passSlices();
  await asked[0]!.answer(STOPPED);
  await left;
  await asked[1]!.answer({ error: { code: 'internal', message: 'out of luck' } });
  await failed;
  await asked[2]!.answer({ answer: { traces: [], ids: 0 } });
  await get;
  assert.deepEqual(kinds(asked), ['services', 'services', 'get']);
});
