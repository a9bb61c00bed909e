// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { DEFAULT_TENANT } from '@spoor/core/model/ids.ts';
import {
  attributes,
  event,
  link,
  resource,
  span,
  spanId,
  traceId,
} from '@spoor/core/query/testing/example-span.ts';
import { batchOf } from '@spoor/core/query/testing/span-body.ts';
import { decodeProto, encodeRequest } from '@spoor/core/wire/otlp/testing/oracle.ts';
import { validRequest } from '@spoor/core/wire/otlp/testing/arbitrary-request.ts';
import { batchLines } from './batch-text.ts';
import { DebugExporter, type DebugExporterSettings } from './debug-exporter.ts';

const START = 1_700_000_000_000_000_000n;

/** A trace of three spans and one of one. */
const BATCH = batchOf([
  span({ name: 'GET /cart', startTimeUnixNano: START, endTimeUnixNano: START + 5_000_000n }),
  span({
    name: 'load',
    spanId: spanId(2),
    parentSpanId: spanId(1),
    kind: 3,
    startTimeUnixNano: START + 1000n,
    endTimeUnixNano: START + 3_001_000n,
    status: { code: 2, message: 'no answer' },
    attributes: attributes({ 'db.system': 'redis', tries: 3n, list: ['a', 1n] }),
    events: [event('retry', { n: 1n }, START + 2000n)],
    links: [link({ traceId: traceId(9), spanId: spanId(9) })],
    resource: resource('cart'),
  }),
  span({
    name: 'store',
    spanId: spanId(3),
    parentSpanId: spanId(1),
    startTimeUnixNano: START + 4_000_000n,
    endTimeUnixNano: START + 4_500_000n,
  }),
  span({ name: 'evil\u001b[2J\nname', traceId: traceId(2), startTimeUnixNano: START }),
]);

function printed(settings: Partial<DebugExporterSettings>): {
  exporter: DebugExporter;
  text: () => string;
  clock: { ms: number };
} {
  let text = '';
  const clock = { ms: 0 };
  const exporter = new DebugExporter(
    { verbosity: 'normal', maxLinesPerSecond: 1000, ...settings },
    { print: (more) => (text += more), nowMs: () => clock.ms },
  );
  return { exporter, text: () => text, clock };
}

test('a basic line counts spans, traces and resources', async () => {
  const { exporter, text } = printed({ verbosity: 'basic' });
  await exporter.write(DEFAULT_TENANT, BATCH);
  assert.equal(text(), 'traces: tenant default, 4 spans of 2 traces, 2 resources\n');
});

test('each trace is a tree in the order of time, and nothing in it reaches the terminal as a command', async () => {
  const { exporter, text } = printed({});
  await exporter.write(DEFAULT_TENANT, BATCH);
  assert.equal(
    text(),
    `traces: tenant default, 4 spans of 2 traces, 2 resources
trace 00000000000000000000000000000001: 3 spans, from 2023-11-14T22:13:20.000Z
└─ shop: GET /cart  [server]  +0 µs  5 ms  0000000000000001
   ├─ cart: load  [client]  +1 µs  3 ms  0000000000000002  parent 0000000000000001  error: no answer
   └─ shop: store  [server]  +4 ms  500 µs  0000000000000003  parent 0000000000000001
trace 00000000000000000000000000000002: 1 span, from 2023-11-14T22:13:20.000Z
└─ shop: evil\\u{1b}[2J\\u{a}name  [server]  +0 µs  1 µs  0000000000000001
`,
  );
});

test('details have attributes, events and links', async () => {
  const { exporter, text } = printed({ verbosity: 'detailed' });
  await exporter.write(DEFAULT_TENANT, BATCH);
  const lines = text().split('\n');
  const at = lines.findIndex((line) => line.includes('cart: load'));
  assert.deepEqual(
    lines.slice(at + 1, at + 9).map((line) => line.slice(11)),
    [
      'resource service.name = cart',
      'scope http',
      'db.system = redis',
      'tries = 3',
      'list = [a, 1]',
      'event retry +1 µs',
      '  n = 1',
      'link to 00000000000000000000000000000009 0000000000000009',
    ],
  );
});

test('lines are bounded by the second, and what is left out is counted', async () => {
  const { exporter, text, clock } = printed({ maxLinesPerSecond: 3 });
  await exporter.write(DEFAULT_TENANT, BATCH);
  assert.equal(text().split('\n').length, 5);
  assert.match(text(), /… the rest of this batch is left out: 3 lines a second\n$/);
  await exporter.write(DEFAULT_TENANT, BATCH);
  await exporter.write(DEFAULT_TENANT, BATCH);
  assert.equal(text().split('\n').length, 5);
  clock.ms += 1000;
  await exporter.write(DEFAULT_TENANT, BATCH);
  assert.match(text(), /\n… 8 spans were left out\ntraces: /);
  await exporter.write(DEFAULT_TENANT, BATCH);
  await exporter.shutdown();
  assert.match(text(), /… 4 spans were left out\n$/);
});

test('any batch can be printed, and every line is one line', () => {
  fc.assert(
    fc.property(validRequest, (request) => {
      const batch = decodeProto(encodeRequest(request));
      const lines = [...batchLines(DEFAULT_TENANT, batch, 'detailed')];
      assert.ok(lines.length > batch.rows);
      // oxlint-disable-next-line no-control-regex -- that is what is looked for
      for (const line of lines) assert.doesNotMatch(line, /[\u0000-\u001f\u007f-\u009f]/);
    }),
    { numRuns: 100 },
  );
});
