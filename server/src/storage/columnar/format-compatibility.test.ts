// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { cpSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { BatchBuilder } from '@spoor/core/model/batch-builder.ts';
import type { Tenant } from '@spoor/core/model/ids.ts';
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

/** Tenants in whose names something was sent. */
function tenantsOf(sample: string): Tenant[] {
  const names = readdirSync(sample);
  return SAMPLE_TENANTS.filter((tenant) => names.some((name) => name.startsWith(`${tenant}.`)));
}

/** What a sample was made of, read from the requests beside it. */
function oracleOf(sample: string): TraceOracle {
  const oracle = new TraceOracle();
  for (const tenant of tenantsOf(sample)) {
    const builder = new BatchBuilder();
    const decoder = new OtlpProtoDecoder();
    const path = join(sample, `${tenant}.binpb`);
    decoder.begin(existsSync(path) ? readFileSync(path) : gunzipSync(readFileSync(`${path}.gz`)));
    decoder.decode(builder);
    oracle.write(tenant, readSpans(builder.finish()));
  }
  return oracle;
}

async function assertAnswers(
  store: ColumnarStore,
  oracle: TraceOracle,
  tenants: readonly Tenant[],
): Promise<void> {
  for (const tenant of tenants) {
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
    const tenants = tenantsOf(sample);
    const data = join(dir, 'data');
    cpSync(join(sample, 'data'), data, { recursive: true });
    {
      await using stopped = await StoppedStore.open(data);
      assert.deepEqual((await verifyStore(stopped)).problems, []);
    }
    await withStore(data, async (store) => {
      await assertAnswers(store, oracle, tenants);
      await store.settle();
      await assertAnswers(store, oracle, tenants);
    });
    await withStore(data, (store) => assertAnswers(store, oracle, tenants));
  });
}

for (const name of readdirSync(SAMPLES).filter((entry) =>
  /^format-[0-9]+(-merged)?$/.test(entry),
)) {
  test(`a data directory of ${name.replaceAll('-', ' ')} is read span for span`, () =>
    assertReads(join(SAMPLES, name)));
}

test('a sample as this version writes it would be read', () =>
  withDirectory(async (dir) => {
    await writeFormatSample(dir);
    await assertReads(dir);
  }));

test('the sample of a merged block has several groups, and columns with and without a dictionary', async () => {
  await withDirectory(async (dir) => {
    const data = join(dir, 'data');
    cpSync(join(SAMPLES, 'format-3-merged/data'), data, { recursive: true });
    await using stopped = await StoppedStore.open(data);
    const [block, ...others] = stopped.blocks;
    assert.deepEqual([block?.level, others], [2, []]);
    stopped.withBlock(block!, ({ footer }) => {
      assert.ok(footer.groups.length > 1);
      const plain = Array.from({ length: footer.columns.length }, (_, c) =>
        footer.columns.isPlain(c),
      );
      assert.ok(plain.includes(true) && plain.includes(false));
    });
  });
});
