// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { createCorpus, type CorpusProfile } from './corpus.ts';
import { readCorpusFile, tenantsFile, tracesFile, writeCorpusFile } from './corpus-file.ts';

const NOW = 1_795_000_000_000_000_000n;

function temporaryFile(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'spoor-corpus-'));
  t.after(() => rmSync(directory, { recursive: true }));
  return join(directory, 'corpus.bin');
}

for (const profile of ['shop', 'hostile'] satisfies CorpusProfile[]) {
  test(`a file of profile ${profile} gives back the requests that were written`, (t) => {
    const path = temporaryFile(t);
    const options = { profile, spans: 20_000, seed: 3, nowUnixNano: NOW };
    const truth = writeCorpusFile(path, createCorpus(options));
    const expected = [...createCorpus(options)];
    const found = [...readCorpusFile(path)];
    assert.equal(found.length, expected.length);
    for (let i = 0; i < found.length; i++) {
      assert.equal(found[i]!.spans, expected[i]!.spans);
      assert.equal(found[i]!.tenant, expected[i]!.tenant);
      assert.equal(Buffer.compare(found[i]!.body, expected[i]!.body), 0);
    }
    const lines = readFileSync(tracesFile(path), 'utf8').trimEnd().split('\n');
    assert.equal(lines.length, truth.traces.length + 1);
    assert.equal(lines[1]!.split('\t')[0], truth.traces[0]!.traceId);
  });
}

test('a file that ends inside a body is refused', (t) => {
  const path = temporaryFile(t);
  writeCorpusFile(path, createCorpus({ profile: 'shop', spans: 1000, seed: 1, nowUnixNano: NOW }));
  truncateSync(path, readFileSync(path).length - 1);
  assert.throws(() => [...readCorpusFile(path)], { code: 'corrupt' });
  writeFileSync(path, Buffer.alloc(8, 255));
  assert.throws(() => [...readCorpusFile(path)], { code: 'corrupt', message: /4294967295 bytes/ });
});

test('a corpus without tenants has no file of tenants', (t) => {
  const path = temporaryFile(t);
  writeCorpusFile(path, createCorpus({ profile: 'shop', spans: 100, seed: 1, nowUnixNano: NOW }));
  assert.throws(() => readFileSync(tenantsFile(path)), { code: 'ENOENT' });
});
