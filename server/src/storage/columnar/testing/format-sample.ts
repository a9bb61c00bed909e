// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DEFAULT_TENANT, parseTenant } from '@spoor/core/model/ids.ts';
import type { Span } from '@spoor/core/model/span.ts';
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
  const late = shop.slice(0, 1).map((span): Span => ({ ...span, name: 'late' }));
  const logged = shopSpans(8, 2, 7).map((span, i): Span => ({ ...span, name: `logged ${i}` }));
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

// Before a format is released: node server/src/storage/columnar/testing/format-sample.ts …/testing/samples/format-N
if (import.meta.main) await writeFormatSample(process.argv[2]!);
