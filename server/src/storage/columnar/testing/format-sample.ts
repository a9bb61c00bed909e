// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { DEFAULT_TENANT, parseTenant } from '@spoor/core/model/ids.ts';
import type { Span } from '@spoor/core/model/span.ts';
import {
  attributes,
  resource,
  span,
  spanId,
  traceId,
} from '@spoor/core/query/testing/example-span.ts';
import { batchOf, encodeSpans } from '@spoor/core/query/testing/span-body.ts';
import { oddSpans } from '#storage/testing/odd-spans.ts';
import { shopSpans } from './block-fixture.ts';
import { withStore } from './store-fixture.ts';

/** Small segments of the log: the sample is kept with the sources. */
const SEGMENT_BYTES = 32 << 10;

/** Tenants of a sample; what was sent in the name of each stands in `TENANT.binpb`. */
export const SAMPLE_TENANTS = [DEFAULT_TENANT, parseTenant('acme')] as const;

/**
 * Writes a sample of a data directory as this version writes it: blocks of two tenants, a trace in two blocks, and spans that
 * are only in the log. Beside it stands what was sent, for each tenant, as an OTLP request.
 */
export async function writeFormatSample(dir: string): Promise<void> {
  const data = join(dir, 'data');
  mkdirSync(dir, { recursive: true });
  const shop = shopSpans(60, 12);
  const late = shop.slice(0, 1).map((one): Span => ({ ...one, name: 'late' }));
  const logged = shopSpans(8, 2, 7).map((one, i): Span => ({ ...one, name: `logged ${i}` }));
  const options = { slabRows: 1000, segmentBytes: SEGMENT_BYTES };
  await withStore(
    data,
    async (store) => {
      await store.write(DEFAULT_TENANT, batchOf([...shop, ...oddSpans()]));
      await store.write(SAMPLE_TENANTS[1], batchOf(shop.slice(0, 5)));
      await store.settle();
      await store.write(DEFAULT_TENANT, batchOf(late));
      await store.settle();
      await store.write(DEFAULT_TENANT, batchOf(logged));
    },
    options,
  );
  rmSync(join(data, 'LOCK'));
  writeFileSync(
    join(dir, 'default.binpb'),
    encodeSpans([...shop, ...oddSpans(), ...late, ...logged]),
  );
  writeFileSync(join(dir, 'acme.binpb'), encodeSpans(shop.slice(0, 5)));
}

/** Spans of each of the blocks that are merged: together they are more than a group, and than a dictionary is tried for. */
const MERGED_SPANS = 2400;
const BATCH_SPANS = 200;

/** Small spans, of which sixteen make a trace; every trace is in both blocks. */
function smallSpans(block: number): Span[] {
  return Array.from({ length: MERGED_SPANS }, (_, i) =>
    span({
      traceId: traceId(1 + (i >> 3)),
      spanId: spanId(1 + block * MERGED_SPANS + i),
      name: `n${i % 7}`,
      startTimeUnixNano: 1_763_800_000_000_000_000n + BigInt(i * 1000),
      endTimeUnixNano: 1_763_800_000_000_000_000n + BigInt(i * 1000 + block),
      resource: resource(`service ${i % 3}`),
      attributes: attributes({ kind: `k${i % 5}`, id: `${block} ${i}` }),
    }),
  );
}

/** Writes a sample like {@link writeFormatSample} with one merged block of several groups, some of whose columns are plain. */
async function writeMergedSample(dir: string): Promise<void> {
  const data = join(dir, 'data');
  mkdirSync(dir, { recursive: true });
  const lots = [smallSpans(0), smallSpans(1)];
  await withStore(
    data,
    async (store) => {
      for (const lot of lots) {
        for (let i = 0; i < lot.length; i += BATCH_SPANS) {
          await store.write(DEFAULT_TENANT, batchOf(lot.slice(i, i + BATCH_SPANS)));
        }
        await store.settle();
      }
      await store.compact();
    },
    { slabRows: 2 * MERGED_SPANS, segmentBytes: SEGMENT_BYTES },
  );
  rmSync(join(data, 'LOCK'));
  writeFileSync(join(dir, 'default.binpb.gz'), gzipSync(encodeSpans(lots.flat())));
}

// Before a format is released: node server/src/storage/columnar/testing/format-sample.ts …/testing/samples/format-N
if (import.meta.main) {
  await writeFormatSample(process.argv[2]!);
  await writeMergedSample(`${process.argv[2]!}-merged`);
}
