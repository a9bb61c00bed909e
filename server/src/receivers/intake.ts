// SPDX-License-Identifier: Apache-2.0
import { SpoorError } from '@spoor/core/model/errors.ts';
import type { Tenant } from '@spoor/core/model/ids.ts';
import type { ReceivedBody } from '#net/http-body.ts';
import { LogThrottle, type Logger } from '#net/logger.ts';
import type { BodyBudget } from '#net/memory-budget.ts';
import { refusalOf, type Refusal } from '#net/refusal.ts';
import type { Tenancy } from '#net/tenancy.ts';
import type {
  IngestFormat,
  IngestOptions,
  IngestResult,
  TraceIngest,
} from '#pipeline/trace-ingest.ts';
import { ReceiverCounters } from './receiver-counters.ts';
import type { TenantCounters } from './tenant-counters.ts';

/** What receivers work with. */
export interface ReceiverParts {
  readonly ingest: TraceIngest;
  readonly tenancy: Tenancy;
  /** What the bodies of a tenant are paid from, shared by all receivers. */
  readonly budgetOf: (tenant: Tenant) => BodyBudget;
  /** Undefined while there is one tenant only. */
  readonly tenantCounters: TenantCounters | undefined;
  readonly logger: Logger;
}

/** What a receiver on a port works with. */
export interface PlacedReceiverParts extends ReceiverParts {
  /** Path of its section in the configuration. */
  readonly path: string;
}

/** A request that has come whole. */
interface WholeRequest extends ReceivedBody {
  readonly format: IngestFormat;
  /** Requests that the body was made of; one by default. */
  readonly requests?: number;
  /** It is part of one that was handed in before, whose bytes were counted. */
  readonly isAgain?: boolean;
}

/** What became of a request: its spans were taken, or nothing of it was kept. */
type IntakeOutcome = { readonly result: IngestResult } | { readonly refusal: Refusal };

const ERROR_LOG_INTERVAL_MS = 10_000;

/** What happens to a request that has come whole, whatever the transport: stored, its memory given back, counted. */
export class ReceiverIntake {
  /** What the receiver has taken; what it refuses it counts itself. */
  readonly counters = new ReceiverCounters();
  readonly #name: string;
  readonly #parts: ReceiverParts;
  readonly #throttle = new LogThrottle(ERROR_LOG_INTERVAL_MS);

  /** @param name how the log calls the receiver, such as `otlp http` */
  constructor(name: string, parts: ReceiverParts) {
    this.#name = name;
    this.#parts = parts;
  }

  /**
   * Hands a request to the ingest, once; its bytes and its lease are the intake's from now on. Never rejects.
   */
  async take(
    tenant: Tenant,
    request: WholeRequest,
    options: IngestOptions,
  ): Promise<IntakeOutcome> {
    const { format, bytes, wireBytes, lease, requests } = request;
    if (request.isAgain !== true) this.counters.countBody(format, wireBytes, bytes.length);
    try {
      const result = await this.#parts.ingest.ingest(tenant, format, bytes, options);
      this.counters.countTaken(format, result, requests);
      this.#parts.tenantCounters?.countTaken(tenant, result.accepted, bytes.length);
      return { result };
    } catch (error) {
      if (!(error instanceof SpoorError) || error.code === 'internal') this.#logFault(error);
      return { refusal: refusalOf(error) };
    } finally {
      lease.release();
    }
  }

  #logFault(error: unknown): void {
    this.#throttle.log((suppressed) =>
      this.#parts.logger.error({ err: error, suppressed }, `${this.#name}: request failed`),
    );
  }
}
