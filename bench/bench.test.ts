// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createCorpus } from '../server/src/cli/tracegen/corpus.ts';
import { parseBenchOptions } from './bench-options.ts';
import { parseKilobytes, parseStat } from './process-usage.ts';
import { appendResults, formatNumber, formatTable, median, quantile } from './report.ts';
import { factsOf, readFacts, writeFacts } from './query-facts.ts';
import { createQuestions, resultsIn } from './query-questions.ts';
import { probeSync } from './sync-probe.ts';
import { encodeTable } from './yardstick/encode-table.ts';
import { SpanTable } from './yardstick/span-table.ts';

test('CPU ticks are read whatever the process is called', () => {
  const fields = ['S', ...Array.from({ length: 40 }, (_, i) => String(i + 4))].join(' ');
  // Fields 14 and 15, counted from 1, hold their own numbers here.
  assert.equal(parseStat(`123 (a) b (c) ${fields}`).ticks, 14 + 15);
  assert.equal(parseKilobytes('VmPeak:\t 9 kB\nVmHWM:\t  150000 kB\n', 'VmHWM'), 150_000);
  assert.throws(() => parseKilobytes('', 'VmRSS'), /no VmRSS/);
});

test('the median and the quantiles are members or means of the numbers', () => {
  assert.equal(median([5, 1, 3]), 3);
  assert.equal(median([4, 1, 3, 2]), 2.5);
  assert.equal(quantile([1, 2, 3, 4], 0.5), 2);
  assert.equal(quantile([1, 2, 3, 4], 0.99), 4);
  assert.ok(Number.isNaN(quantile([], 0.5)));
  assert.deepEqual([Number.NaN, 0.1234, 12.34, 123.4, 12_345.6].map(formatNumber), [
    '-',
    '0.12',
    '12.3',
    '123',
    '12,346',
  ]);
});

test('a table is Markdown with columns of one width', () => {
  const text = formatTable({
    title: 'T',
    columns: ['a', 'figure'],
    rows: [['longer', '1']],
    notes: ['Note.'],
  });
  assert.equal(
    text,
    '### T\n\n| a      | figure |\n| ------ | -----: |\n| longer |      1 |\n\nNote.\n',
  );
});

test('results are appended', (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'spoor-bench-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const file = join(directory, 'RESULTS.md');
  appendResults(file, 'first', ['fact'], []);
  appendResults(file, 'second', [], []);
  assert.match(readFileSync(file, 'utf8'), /^# Results[^]*## first\n\n- fact\n[^]*## second/);
  assert.equal(probeSync(directory, 100, 3).length, 3);
});

test('options out of their range are refused', () => {
  assert.equal(parseBenchOptions(['--full']).spans, 2_000_000);
  assert.deepEqual(parseBenchOptions(['--only', 'ack,query']).parts, ['ack', 'query']);
  assert.throws(() => parseBenchOptions(['--only', 'nothing']), /--only nothing/);
  assert.throws(() => parseBenchOptions(['--spans', '1']), /--spans 1/);
});

test('questions are about what is in the corpus', (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'spoor-bench-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const nowUnixNano = 1_795_000_000_000_000_000n;
  const corpus = createCorpus({ profile: 'shop', spans: 3000, seed: 1, nowUnixNano });
  assert.ok([...corpus].length > 0);
  const facts = factsOf(corpus.truth);
  const file = join(directory, 'facts.json');
  writeFacts(file, facts);
  assert.deepEqual(readFacts(file), facts);
  assert.equal(facts.traceIds.length, corpus.truth.traces.length);
  const paths = createQuestions(facts, 1).map(({ path }) => path());
  assert.ok(paths.some((path) => facts.traceIds.some((id) => path.endsWith(`/${id}`))));
  assert.equal(new Set(paths).size, paths.length);
  assert.equal(resultsIn('{"data":[1,2]}'), 2);
  assert.equal(resultsIn('{"name":"n","metrics":[1]}'), 1);
  assert.throws(() => resultsIn('{"errors":[]}'), /no list/);
});

for (const profile of ['shop', 'hostile'] as const) {
  test(`the yardstick decodes every span of profile ${profile}`, () => {
    const corpus = createCorpus({
      profile,
      spans: 3000,
      seed: 1,
      nowUnixNano: 1_795_000_000_000_000_000n,
    });
    const table = new SpanTable(10_000);
    for (const { body } of corpus) table.decode(body);
    assert.equal(table.rows, corpus.truth.sentSpans);
    const names = new Set(corpus.truth.operations.map(({ spanName }) => spanName));
    assert.ok(Math.abs(table.names.count - names.size) <= 1);
    const bytes = encodeTable(table);
    assert.ok(bytes > 8 * table.rows && bytes < corpus.truth.bytes, `${bytes} bytes`);
  });
}
