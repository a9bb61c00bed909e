// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { SpoorError } from '@spoor/core/model/errors.ts';
import { DEFAULT_TENANT, parseTenant, type Tenant, type TraceId } from '@spoor/core/model/ids.ts';
import { SpanBatch } from '@spoor/core/model/span-batch.ts';
import type { Span } from '@spoor/core/model/span.ts';
import { batchOf } from '@spoor/core/query/testing/span-body.ts';
import { queryFor, readTraces } from '#storage/testing/store-harness.ts';
import { bySpan, spanText, TraceOracle } from '#storage/testing/trace-oracle.ts';
import type { TraceStore } from '#storage/tracestore.ts';

/** Tenants of a trial. */
export const TRIAL_TENANTS = [DEFAULT_TENANT, parseTenant('acme')] as const;

/** Compares all that a store can be asked with what an oracle answers. */
export async function assertAnswers(store: TraceStore, oracle: TraceOracle): Promise<void> {
  await assertLists(store, oracle);
  for (const tenant of TRIAL_TENANTS) {
    const ids = oracle.findTraces(tenant, EVERYTHING).traces.map(({ traceId }) => traceId);
    const traces = await readTraces(store, ids, tenant);
    assert.deepEqual(
      traces.map((spans) => spans.toSorted(bySpan)),
      ids.map((id) => oracle.getTrace(tenant, id)),
    );
  }
}

const EVERYTHING = queryFor(undefined, { limit: 1000 });

/** Compares everything but the spans themselves. */
async function assertLists(store: TraceStore, oracle: TraceOracle, message = ''): Promise<void> {
  for (const tenant of TRIAL_TENANTS) {
    const found = await store.findTraces(tenant, EVERYTHING);
    assert.deepEqual(found, oracle.findTraces(tenant, EVERYTHING), message);
    const services = await store.getServices(tenant);
    assert.deepEqual(services, oracle.getServices(tenant), message);
    for (const service of services) {
      const operations = [...(await store.getOperations(tenant, service))];
      assert.deepEqual(operations, oracle.getOperations(tenant, service), message);
    }
  }
}

/** Spans that are written together, prepared once for many trials. */
export class SpanLot {
  readonly spans: readonly Span[];
  readonly texts: readonly string[];
  readonly #bytes: Uint8Array;

  constructor(spans: readonly Span[]) {
    this.spans = spans;
    this.texts = spans.map(spanText);
    this.#bytes = batchOf(spans).bytes.slice();
  }

  /** A batch of its own, since a store takes it over. */
  batch(): SpanBatch {
    return new SpanBatch(this.#bytes.slice());
  }
}

/** What was written to a store that may fail: which spans must be found, and which may. */
export class StoreTrial {
  /** By tenant, with what they hold as a text. */
  readonly #tried = new Map<Tenant, Map<string, Span>>();
  readonly #acknowledged = new Map<Tenant, Set<string>>();
  #refusals = 0;

  /** Spans that the store took. */
  get acknowledged(): number {
    return this.#acknowledged.values().reduce((sum, spans) => sum + spans.size, 0);
  }

  /** Writes that the store refused. */
  get refusals(): number {
    return this.#refusals;
  }

  /** Writes spans. A refusal must tell the sender to try again. */
  async write(store: TraceStore, lot: SpanLot, tenant: Tenant): Promise<void> {
    const tried = this.#tried.get(tenant) ?? new Map<string, Span>();
    this.#tried.set(tenant, tried);
    lot.texts.forEach((text, i) => tried.set(text, lot.spans[i]!));
    try {
      await store.write(tenant, lot.batch());
    } catch (error) {
      assert.ok(error instanceof SpoorError && error.retryable, String(error));
      this.#refusals++;
      return;
    }
    const acknowledged = this.#acknowledged.get(tenant) ?? new Set<string>();
    this.#acknowledged.set(tenant, acknowledged);
    for (const text of lot.texts) acknowledged.add(text);
  }

  /** What must be answered, without some of the spans. */
  oracle(without: ReadonlySet<string> = new Set()): TraceOracle {
    const oracle = new TraceOracle();
    for (const [tenant, texts] of this.#acknowledged) {
      const tried = this.#tried.get(tenant)!;
      const spans = [...texts].filter((text) => !without.has(text)).map((text) => tried.get(text)!);
      oracle.write(tenant, spans);
    }
    return oracle;
  }

  /**
   * Asserts that nothing is missing that was acknowledged, that nothing is found that was never written, and that every other
   * answer is that of exactly the spans that are found.
   * @returns texts of the spans that are missing; only with `mayMiss`
   */
  async check(store: TraceStore, message: string, mayMiss = false): Promise<string[]> {
    const oracle = new TraceOracle();
    const missing: string[] = [];
    for (const tenant of TRIAL_TENANTS) {
      const tried = this.#tried.get(tenant) ?? new Map<string, Span>();
      const ids = new Set<TraceId>([...tried.values()].map(({ traceId }) => traceId));
      const found = (await readTraces(store, [...ids], tenant)).flat();
      const texts = new Set(found.map(spanText));
      assert.equal(texts.size, found.length, `${message}: a span is found twice`);
      for (const text of texts) assert.ok(tried.has(text), `${message}: never written: ${text}`);
      const lost = [...(this.#acknowledged.get(tenant) ?? [])].filter((text) => !texts.has(text));
      if (!mayMiss) assert.deepEqual(lost, [], `${message}: acknowledged spans of ${tenant}`);
      missing.push(...lost);
      oracle.write(tenant, found);
    }
    await assertLists(store, oracle, message);
    return missing;
  }
}
