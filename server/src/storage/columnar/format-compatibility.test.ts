// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { cpSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { BatchBuilder } from '@spoor/core/model/batch-builder.ts';
import { OtlpProtoDecoder } from '@spoor/core/wire/otlp/decode.ts';
import { queryFor, readSpans, readTraces } from '#storage/testing/store-harness.ts';
import { bySpan, TraceOracle } from '#storage/testing/trace-oracle.ts';
import type { ColumnarStore } from './columnar-store.ts';
import { StoppedStore } from './inspection/stopped-store.ts';
import { verifyStore } from './inspection/verify-store.ts';
import { SAMPLE_TENANTS, writeFormatSample } from './testing/format-sample.ts';
import { withStore } from './testing/store-fixture.ts';
import { withDirectory } from './testing/temporary-directory.ts';

const SAMPLES = new URL('testing/samples/', import.meta.url).pathname;

/** What a sample was made of, read from the requests beside it. */
function oracleOf(sample: string): TraceOracle {
  const oracle = new TraceOracle();
  for (const tenant of SAMPLE_TENANTS) {
    const builder = new BatchBuilder();
    const decoder = new OtlpProtoDecoder();
    decoder.begin(readFileSync(join(sample, `${tenant}.binpb`)));
    decoder.decode(builder);
    oracle.write(tenant, readSpans(builder.finish()));
  }
  return oracle;
}

async function assertAnswers(store: ColumnarStore, oracle: TraceOracle): Promise<void> {
  for (const tenant of SAMPLE_TENANTS) {
    const query = queryFor(undefined, { limit: 1000 });
    const found = await store.findTraces(tenant, query);
    assert.deepEqual(found, oracle.findTraces(tenant, query));
    const ids = found.traces.map(({ traceId }) => traceId);
    assert.ok(ids.length > 0);
    const traces = await readTraces(store, ids, tenant);
    assert.deepEqual(
      traces.map((spans) => spans.toSorted(bySpan)),
      ids.map((id) => oracle.getTrace(tenant, id)),
    );
    assert.deepEqual(await store.getServices(tenant), oracle.getServices(tenant));
  }
}

/** Reads a copy of a sample with the present code: as it is, with its log sealed, and once more. */
async function assertReads(sample: string): Promise<void> {
  await withDirectory(async (dir) => {
    const oracle = oracleOf(sample);
    const data = join(dir, 'data');
    cpSync(join(sample, 'data'), data, { recursive: true });
    {
      await using stopped = await StoppedStore.open(data);
      assert.deepEqual((await verifyStore(stopped)).problems, []);
    }
    await withStore(data, async (store) => {
      await assertAnswers(store, oracle);
      await store.settle();
      await assertAnswers(store, oracle);
    });
    await withStore(data, (store) => assertAnswers(store, oracle));
  });
}

for (const name of readdirSync(SAMPLES).filter((entry) => /^format-[0-9]+$/.test(entry))) {
  test(`a data directory of ${name.replace('-', ' ')} is read span for span`, () =>
    assertReads(join(SAMPLES, name)));
}

test('a sample as this version writes it would be read', () =>
  withDirectory(async (dir) => {
    await writeFormatSample(dir);
    await assertReads(dir);
  }));
