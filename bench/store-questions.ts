// SPDX-License-Identifier: Apache-2.0
import type { QueryField, TraceQuery } from '@spoor/core/query/trace-query.ts';
import { Random } from '../server/src/cli/tracegen/random.ts';
import type { QueryFacts } from './query-facts.ts';

/** A kind of question for the store itself. */
export interface StoreQuestion {
  readonly name: string;
  /** The next query; each call asks for something else. */
  readonly query: () => TraceQuery;
}

/** Questions over all time that no parameter of the HTTP API asks: those of a query language. */
export function createStoreQuestions(facts: QueryFacts, seed: number): StoreQuestion[] {
  // Another one than the corpus was made with: otherwise what is in no span would be in some.
  const random = new Random(seed + 1);
  const attribute = (key: string): QueryField => ({ kind: 'attribute', scope: 'span', key });
  const allTime = { startMinUnixNano: 0n, startMaxUnixNano: 2n ** 63n, limit: 20 };
  const server = {
    op: 'eq',
    field: { kind: 'intrinsic', name: 'kind' },
    value: { type: 'int', value: 2n },
  } as const;
  const digits = (count: number): string => random.pick(facts.traceIds).slice(0, count);
  return [
    {
      name: 'regex on a unique column, a few hits',
      query: () => ({
        ...allTime,
        where: { op: 'matches', field: attribute('db.query.text'), pattern: `.*${digits(4)}.*` },
      }),
    },
    {
      name: 'regex on a unique column, no hit',
      query: () => ({
        ...allTime,
        where: { op: 'matches', field: attribute('db.query.text'), pattern: `.*no ${digits(4)}.*` },
      }),
    },
    {
      name: '!= on a common column, longest first',
      query: () => ({
        ...allTime,
        order: 'longest',
        where: {
          op: 'ne',
          field: attribute('http.response.status_code'),
          value: { type: 'int', value: BigInt(200 + random.int(3)) },
        },
      }),
    },
    {
      name: 'count() > n of server spans',
      query: () => ({
        ...allTime,
        where: server,
        having: {
          op: 'gt',
          field: { kind: 'count', where: server },
          value: { type: 'int', value: BigInt(8 + random.int(4)) },
        },
      }),
    },
    {
      name: 'count() > n that holds nowhere',
      query: () => ({
        ...allTime,
        where: server,
        having: {
          op: 'gt',
          field: { kind: 'count', where: server },
          value: { type: 'int', value: BigInt(30 + random.int(10)) },
        },
      }),
    },
  ];
}
