// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeSummaries } from './trace-summary.ts';

const SUMMARY = {
  traceId: '0af7651916cd43dd8448eb211c80319c',
  rootServiceName: 'frontend',
  rootOperationName: 'GET /',
  minStartTimeUnixNano: '1767268800000000999',
  maxEndTimeUnixNano: '1767268800000100499',
  spanCount: 3,
  errorSpanCount: 1,
  services: [
    { name: 'frontend', spanCount: 1, selfTimeNano: '19500' },
    { name: 'idle', spanCount: 1, selfTimeNano: '0' },
    { name: 'cart', spanCount: 1, errorSpanCount: 1, selfTimeNano: '80000' },
  ],
};

test('a summary has the root, the whole duration, errors, and services by their own time', () => {
  assert.deepEqual(decodeSummaries([SUMMARY], 'answer'), [
    {
      traceId: '0af7651916cd43dd8448eb211c80319c',
      rootService: 'frontend',
      rootOperation: 'GET /',
      rootMissing: false,
      startUs: 1_767_268_800_000_000,
      durationUs: 99.5,
      spanCount: 3,
      errorCount: 1,
      parts: [
        { service: 'cart', spanCount: 1, selfUs: 80 },
        { service: 'frontend', spanCount: 1, selfUs: 19.5 },
        { service: 'idle', spanCount: 1, selfUs: 0 },
      ],
    },
  ]);
  assert.deepEqual(decodeSummaries(null, 'answer'), []);
});

test('a trace whose spans end before they start has no duration', () => {
  const [summary] = decodeSummaries(
    [{ ...SUMMARY, maxEndTimeUnixNano: '1767268799600000999' }],
    'answer',
  );
  assert.equal(summary!.durationUs, 0);
});

test('a trace without root is named by the span that stands first', () => {
  const [summary] = decodeSummaries(
    [
      {
        ...SUMMARY,
        rootServiceName: '',
        rootOperationName: '',
        firstServiceName: 'cart',
        firstOperationName: 'add',
      },
    ],
    'answer',
  );
  const { rootService, rootOperation, rootMissing } = summary!;
  assert.deepEqual([rootService, rootOperation, rootMissing], ['cart', 'add', true]);
});

test('of a trace that is too large for details the services are by the number of their spans, and one without root is named by the first of them', () => {
  const services = [
    { name: 'frontend', spanCount: 1 },
    { name: 'cart', spanCount: 40_000 },
  ];
  const [summary] = decodeSummaries(
    [{ ...SUMMARY, rootServiceName: '', rootOperationName: '', services }],
    'answer',
  );
  const { rootService, rootOperation, rootMissing, parts } = summary!;
  assert.deepEqual([rootService, rootOperation, rootMissing], ['cart', '', true]);
  assert.deepEqual(parts, [
    { service: 'cart', spanCount: 40_000, selfUs: undefined },
    { service: 'frontend', spanCount: 1, selfUs: undefined },
  ]);
});

test('an answer that is no list of summaries is an error that says where', () => {
  const faulty = [
    'nope',
    [5],
    [{ ...SUMMARY, traceId: 5 }],
    [{ ...SUMMARY, minStartTimeUnixNano: 1 }],
    [{ ...SUMMARY, services: [] }],
    [{ ...SUMMARY, services: [{ name: 'frontend' }] }],
  ];
  for (const data of faulty) {
    assert.throws(
      () => decodeSummaries(data, '/api/trace-summaries'),
      /\/api\/trace-summaries is not a list of summaries/,
    );
  }
});
