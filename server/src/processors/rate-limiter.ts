// SPDX-License-Identifier: Apache-2.0
import { quote, SpoorError } from '@spoor/core/model/errors.ts';
import type { Tenant } from '@spoor/core/model/ids.ts';
import type { SpanBatch } from '@spoor/core/model/span-batch.ts';
import { RowSet } from '@spoor/core/query/row-set.ts';
import type { RateLimitingConfig } from '#config/rate-limiting-config.ts';
import type { Limit } from '#pipeline/admission.ts';
import type { Counting } from '#pipeline/component-figures.ts';
import type { TraceSink } from '#pipeline/trace-sink.ts';
import type { RequestRecord } from '#storage/tracestore.ts';
import { BucketTable } from './bucket-table.ts';
import { Downstream, type ProcessorParts } from './downstream.ts';
import { RowCopier } from './row-copier.ts';
import { ServiceTally } from './service-tally.ts';
import type { RateLimit, TokenBucket } from './token-bucket.ts';

/** Longest time that a sender is told to wait. */
const MAX_RETRY_AFTER_MS = 60_000;

/** Seconds of the limit that may come at once where no burst is configured. */
const BURST_SECONDS = 2;

/**
 * Limits the spans a second of each service and of each tenant, in one of two ways:
 *
 * - `refuse`: {@link limit} refuses a request before it shares a batch with others, as a whole, also when only one of its
 *   services is over its limit. Nothing of it is kept or counted, and the sender is told when to come again.
 * - `drop`: {@link write} lets through what the limits have room for, in the order of the rows.
 */
export class RateLimiter implements TraceSink, Counting {
  readonly #drops: boolean;
  readonly #services: BucketTable;
  readonly #tenants: BucketTable;
  readonly #nowMs: () => number;
  readonly #tally = new ServiceTally();
  readonly #copier = new RowCopier();
  readonly #downstream: Downstream;

  /** @param nowMs monotonic clock in ms */
  constructor(config: RateLimitingConfig, parts: ProcessorParts, nowMs = () => performance.now()) {
    const { per_service: service, per_tenant: tenant, max_services: most } = config;
    this.#drops = config.on_limit === 'drop';
    this.#services = new BucketTable(limitOf(service), most);
    this.#tenants = new BucketTable(limitOf(tenant), most);
    this.#nowMs = nowMs;
    this.#downstream = new Downstream(parts, 'over_limit');
  }

  figures(): ReturnType<Counting['figures']> {
    return this.#downstream.figures();
  }

  /**
   * Looks whether a request has room.
   * @param parts where its spans are
   * @returns takes the tokens
   * @throws {SpoorError} overloaded, with the time to wait: a limit has no room for it
   */
  readonly limit: Limit = (tenant, parts) => {
    if (this.#drops) return () => undefined;
    const nowMs = this.#nowMs();
    const counts = new Map<string, number>();
    let all = 0;
    for (const part of parts) {
      all += part.end - part.start;
      for (const [service, count] of this.#tally.count(part)) {
        counts.set(service, (counts.get(service) ?? 0) + count);
      }
    }
    const takes: { bucket: TokenBucket; count: number }[] = [];
    const check = (bucket: TokenBucket | undefined, count: number, whose: string): void => {
      if (bucket === undefined) return;
      const waitMs = bucket.waitMs(count, nowMs);
      if (waitMs > 0) {
        this.#downstream.countRefused(all);
        throw new SpoorError('overloaded', `${whose} is over its limit of spans a second`, {
          retryAfterMs: Math.min(waitMs, MAX_RETRY_AFTER_MS),
        });
      }
      takes.push({ bucket, count });
    };
    check(this.#tenants.of(tenant, nowMs), all, `tenant ${tenant}`);
    for (const [service, count] of counts) {
      check(this.#bucketOf(tenant, service, nowMs), count, `service ${quote(service)}`);
    }
    return () => {
      for (const { bucket, count } of takes) bucket.take(count);
    };
  };

  async write(
    tenant: Tenant,
    batch: SpanBatch,
    requests?: readonly RequestRecord[],
  ): Promise<void> {
    const kept = this.#drops ? this.#copier.keep(batch, this.#within(tenant, batch)) : batch;
    await this.#downstream.write(tenant, batch, kept, requests);
  }

  /** The rows that the limits have room for. */
  #within(tenant: Tenant, batch: SpanBatch): RowSet {
    const nowMs = this.#nowMs();
    const rows = new RowSet(batch.rows);
    const ofTenant = this.#tenants.of(tenant, nowMs);
    let left = ofTenant?.available(nowMs) ?? Infinity;
    const byCode: { bucket: TokenBucket | undefined }[] = [];
    for (let row = 0; row < batch.rows; row++) {
      if (left < 1) break;
      const code = batch.resource[row]!;
      const { bucket } = (byCode[code] ??= {
        bucket: this.#bucketOf(tenant, this.#tally.serviceOf(batch.resources, code), nowMs),
      });
      if (bucket !== undefined) {
        if (bucket.available(nowMs) < 1) continue;
        bucket.take(1);
      }
      left--;
      ofTenant?.take(1);
      rows.add(row);
    }
    return rows;
  }

  #bucketOf(tenant: Tenant, service: string, nowMs: number): TokenBucket | undefined {
    // No tenant has a slash in its name.
    return this.#services.of(`${tenant}/${service}`, nowMs);
  }
}

function limitOf(config: RateLimitingConfig['per_service']): RateLimit {
  const { spans_per_second: perSecond, burst } = config;
  return { perSecond, burst: burst === 0 ? Math.max(1, perSecond * BURST_SECONDS) : burst };
}
