// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JaegerClientReport } from '@spoor/core/wire/jaeger/client-report.ts';
import { ClientReports } from './client-reports.ts';

function report(batches: number, more: Partial<JaegerClientReport> = {}): JaegerClientReport {
  const counts = { fullQueueSpans: 0, tooLargeSpans: 0, failedSpans: 0 };
  return { service: 'shop', clientId: 'c1', batches, ...counts, ...more };
}

test('totals of a client are counted by how much they grew', () => {
  const reports = new ClientReports();
  reports.add(report(1, { failedSpans: 2 }));
  reports.add(report(2, { failedSpans: 2, tooLargeSpans: 1 }));
  // Two batches were lost on the way.
  reports.add(report(5, { failedSpans: 7, tooLargeSpans: 1, fullQueueSpans: 9 }));
  // Late.
  reports.add(report(4, { failedSpans: 3 }));
  assert.deepEqual(
    [...reports.figures()],
    [
      {
        service: 'shop',
        receivedBatches: 4,
        sentBatches: 5,
        fullQueueSpans: 9,
        tooLargeSpans: 1,
        failedSpans: 7,
      },
    ],
  );
});

test('a client that was there before us is counted from now on, and clients are told apart', () => {
  const reports = new ClientReports();
  reports.add(report(1000, { failedSpans: 50 }));
  reports.add(report(1001, { failedSpans: 51 }));
  reports.add(report(1, { clientId: 'c2', failedSpans: 3 }));
  reports.add(report(7, { clientId: '' }));
  const [shop] = reports.figures();
  assert.deepEqual([shop?.receivedBatches, shop?.sentBatches, shop?.failedSpans], [3, 3, 4]);
});

test('services beyond a hundred are counted together', () => {
  const reports = new ClientReports();
  for (let i = 0; i < 150; i++) {
    reports.add(report(1, { service: `s${i}`, clientId: `c${i}`, failedSpans: 1 }));
  }
  reports.add(report(2, { service: 's0', clientId: 'c0', failedSpans: 2 }));
  const figures = [...reports.figures()];
  assert.equal(figures.length, 101);
  assert.equal(figures[0]?.failedSpans, 2);
  assert.deepEqual(
    figures.slice(100).map(({ service, failedSpans }) => [service, failedSpans]),
    [['other-services', 50]],
  );
});
