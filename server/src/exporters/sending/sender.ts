// SPDX-License-Identifier: Apache-2.0
import { messageOf, SpoorError } from '@spoor/core/model/errors.ts';
import type { Tenant } from '@spoor/core/model/ids.ts';
import type { SpanBatch } from '@spoor/core/model/span-batch.ts';
import { LogThrottle, type Logger } from '#net/logger.ts';
import { afterTimeout, type Later } from '#later.ts';
import { Backoff, type BackoffSettings } from './backoff.ts';
import type { BreakerPass } from './circuit-breaker.ts';
import type { Destination, DestinationList } from './destinations.ts';
import { pause } from './pause.ts';
import { decodeRequest, RequestEncoder } from './request-encoder.ts';
import { isRetryable, mayBeOfOne, settleAll } from '#pipeline/settle-all.ts';
import { rowsByOwner } from './trace-owners.ts';
import type { ExportRequest } from './transport.ts';

/** How servers are chosen: one after the other, or all spans of a trace to one. */
export type Routing = 'round_robin' | 'trace_id';

/** How long a request is tried. */
export interface RetrySettings extends BackoffSettings {
  /** After this no further try is made, in ms; Infinity: for ever. */
  readonly maxElapsedTimeMs: number;
}

/** Options of a {@link Sender}. */
export interface SenderOptions {
  /** How the log and errors call the exporter: the path of its section. */
  readonly path: string;
  readonly destinations: Pick<DestinationList, 'list'>;
  readonly routing: Routing;
  /** Undefined: a request that fails goes back to who keeps it. */
  readonly retry: RetrySettings | undefined;
  /**
   * Requests are kept until a server takes them: one that is refused for what is wrong with the configuration, such as a
   * token, is tried again, for that can be put right.
   */
  readonly isKept: boolean;
  /** Bodies are requests of OTLP, which can be taken apart. */
  readonly isOtlp: boolean;
  /** Largest body in bytes. */
  readonly maxRequestBytes: number;
  readonly logger: Pick<Logger, 'warn'>;
  readonly later?: Later;
  /** Numbers in [0, 1). */
  readonly random?: () => number;
  /** Monotonic clock in ms. */
  readonly nowMs?: () => number;
}

/** Why spans are gone: the code of the error, or left out by a server that took the rest. */
const DROP_REASONS = ['malformed', 'too_large', 'config', 'internal', 'partial_success'] as const;
export type DropReason = (typeof DROP_REASONS)[number];

/** What a {@link Sender} has done since its start. */
export interface SenderFigures {
  /** Spans that a server took. */
  readonly sentSpans: number;
  /** Spans of requests that were given back to who keeps them. */
  readonly failedSpans: number;
  /** Spans that no server will take. */
  readonly droppedSpans: ReadonlyMap<DropReason, number>;
  /** Requests that were tried again. */
  readonly retries: number;
}

/** A request with the server that its traces belong to, where there is one. */
interface OwnedRequest extends ExportRequest {
  readonly owner?: Destination | undefined;
  /** How often a larger one was halved; never where it is left out. */
  readonly halvings?: number;
}

const LOG_INTERVAL_MS = 10_000;

/** A request that is refused for good is taken apart into 32 at most, by 62 further requests. */
const MAX_HALVINGS = 5;

/** A hint for senders when nobody knows better, in ms. */
const USUAL_RETRY_AFTER_MS = 1000;

/** Where somebody waits for the answer, no further server is tried after one that took so long to fail, in ms. */
const PROMPT_MS = 2000;

/** Sends requests to the servers of an exporter: chooses one, passes its breaker, tries again. */
export class Sender {
  readonly #options: SenderOptions;
  readonly #later: Later;
  readonly #random: () => number;
  readonly #nowMs: () => number;
  readonly #throttle = new LogThrottle(LOG_INTERVAL_MS);
  readonly #encoder: RequestEncoder;
  #turn = 0;
  #sentSpans = 0;
  #failedSpans = 0;
  #retries = 0;
  readonly #droppedSpans = new Map<DropReason, number>(DROP_REASONS.map((reason) => [reason, 0]));

  constructor(options: SenderOptions) {
    this.#options = options;
    this.#encoder = new RequestEncoder(options.maxRequestBytes);
    this.#later = options.later ?? afterTimeout;
    this.#random = options.random ?? Math.random;
    this.#nowMs = options.nowMs ?? (() => performance.now());
  }

  get figures(): SenderFigures {
    return {
      sentSpans: this.#sentSpans,
      failedSpans: this.#failedSpans,
      droppedSpans: this.#droppedSpans,
      retries: this.#retries,
    };
  }

  /** Makes requests of a batch, one or more for each server where traces have one. */
  requestsOf(tenant: Tenant, batch: SpanBatch): ExportRequest[] {
    return this.#options.routing === 'trace_id'
      ? this.#ownedRequests(tenant, batch)
      : this.#encoder.encode(tenant, batch);
  }

  /**
   * Resolves when the request was taken.
   * @param signal fires when no further try is to be made, and the one under way is to end
   * @throws {SpoorError} overloaded or unavailable: not taken for now; another code: no server will take it, which was counted
   */
  async send(request: OwnedRequest, signal: AbortSignal): Promise<void> {
    const { retry } = this.#options;
    const backoff = retry && new Backoff(retry, this.#random);
    const startMs = this.#nowMs();
    for (;;) {
      const parts = this.#partsOf(request);
      if (parts.length > 1) {
        await settleAll(parts.map((part) => this.send(part, signal)));
        return;
      }
      try {
        await this.#sendOnce(parts[0]!, signal);
        return;
      } catch (error) {
        if (!isRetryable(error)) return await this.#sendApart(request, error, signal);
        const pauseMs = backoff?.next(error.retryAfterMs) ?? 0;
        const isLate =
          retry === undefined ||
          this.#nowMs() - startMs + pauseMs > retry.maxElapsedTimeMs ||
          // Whoever waits for the answer hears at once that no server takes anything now.
          (!this.#options.isKept && this.#passable().length === 0);
        if (isLate || !(await pause(pauseMs, signal, this.#later))) {
          this.#failedSpans += request.spans;
          throw error;
        }
        this.#retries++;
      }
    }
  }

  /**
   * Drops what was refused for good. Of a request that was promised to be kept only what is to blame, as far as that is found in
   * some steps: what its neighbours' senders were told must stay true.
   */
  async #sendApart(request: OwnedRequest, error: unknown, signal: AbortSignal): Promise<void> {
    const { isKept, isOtlp, path } = this.#options;
    const { tenant, spans, halvings = 0 } = request;
    const isWhole = !isKept || !isOtlp || !mayBeOfOne(error);
    const batch =
      isWhole || spans === 1 || halvings === MAX_HALVINGS ? undefined : decodedOrNone(request);
    if (batch === undefined) {
      this.drop(dropReason(error), spans);
      this.#warn(`${path}: ${spans} spans are dropped: ${messageOf(error)}`);
      throw error;
    }
    const rows = Uint32Array.from({ length: batch.rows }, (_, row) => row);
    const middle = batch.rows >>> 1;
    const halves = [rows.subarray(0, middle), rows.subarray(middle)].flatMap((half) =>
      this.#encoder.encode(tenant, batch, half),
    );
    await settleAll(halves.map((half) => this.send({ ...half, halvings: halvings + 1 }, signal)));
  }

  /** The request as it is, or by trace id its parts for the servers that its traces belong to now. */
  #partsOf(request: OwnedRequest): OwnedRequest[] {
    if (this.#options.routing === 'round_robin') return [request];
    const passable = this.#passable();
    const { owner } = request;
    if (passable.length === 0 || (owner !== undefined && passable.includes(owner)))
      return [request];
    const parts = this.#ownedRequests(request.tenant, decodeRequest(request));
    // The bytes are those that may have been sent before, so that who has them knows them.
    return parts.length === 1 ? [{ ...request, owner: parts[0]!.owner }] : parts;
  }

  async #sendOnce(request: OwnedRequest, signal: AbortSignal): Promise<void> {
    if (this.#options.routing === 'round_robin') return this.#sendInTurn(request, signal);
    const pass = request.owner?.breaker.enter();
    if (request.owner === undefined || pass === undefined) throw this.#noneToTry();
    return this.#exchange(request, request.owner, pass, signal);
  }

  /** Tries each server that can be tried, from the next in turn on, until one takes the request. */
  async #sendInTurn(request: ExportRequest, signal: AbortSignal): Promise<void> {
    const { destinations, isKept } = this.#options;
    const { list } = destinations;
    const first = this.#turn++;
    const startMs = this.#nowMs();
    let failure: SpoorError | undefined;
    for (let i = 0; i < list.length && !signal.aborted; i++) {
      const isLate = !isKept && this.#nowMs() - startMs > PROMPT_MS;
      if (isLate && failure !== undefined) break;
      const destination = list[(first + i) % list.length]!;
      const pass = destination.breaker.enter();
      if (pass === undefined) continue;
      try {
        await this.#exchange(request, destination, pass, signal);
        return;
      } catch (error) {
        if (!isRetryable(error)) throw error;
        failure = error;
      }
    }
    throw failure ?? this.#noneToTry();
  }

  #ownedRequests(tenant: Tenant, batch: SpanBatch): OwnedRequest[] {
    const passable = this.#passable();
    if (passable.length === 0) return this.#encoder.encode(tenant, batch);
    const owners = rowsByOwner(batch, passable);
    return [...owners].flatMap(([owner, rows]) =>
      this.#encoder.encode(tenant, batch, Uint32Array.from(rows)).map((one) => ({ ...one, owner })),
    );
  }

  #passable(): Destination[] {
    return this.#options.destinations.list.filter(({ breaker }) => breaker.isPassable);
  }

  async #exchange(
    request: ExportRequest,
    { name, transport }: Destination,
    pass: BreakerPass,
    signal: AbortSignal,
  ): Promise<void> {
    const { path } = this.#options;
    try {
      const { rejectedSpans, message } = await transport.send(request, signal);
      pass.succeed();
      const rejected = Math.min(rejectedSpans, request.spans);
      this.#sentSpans += request.spans - rejected;
      if (rejected > 0) this.drop('partial_success', rejected);
      if (rejected > 0 || message !== '') {
        this.#warn(`${path}: ${name} left out ${rejected} of ${request.spans} spans: ${message}`);
      }
    } catch (cause) {
      const error = this.#kept(cause);
      if (isRetryable(error)) {
        if (signal.aborted) pass.cancel();
        else pass.fail(error.retryAfterMs);
        this.#warn(`${path}: ${error.message}`);
        throw error;
      }
      // A server that refuses is there.
      pass.succeed();
      throw error;
    }
  }

  /** Where requests are kept, what can be put right is an error for now. */
  #kept(error: unknown): unknown {
    const mayBePutRight = error instanceof SpoorError && error.code === 'config';
    if (!mayBePutRight || !this.#options.isKept) return error;
    return new SpoorError('unavailable', error.message, { cause: error });
  }

  /** Counts spans that no server will take. */
  drop(reason: DropReason, spans: number): void {
    this.#droppedSpans.set(reason, (this.#droppedSpans.get(reason) ?? 0) + spans);
  }

  #noneToTry(): SpoorError {
    const { path, destinations } = this.#options;
    const { list } = destinations;
    if (list.length === 0) {
      return new SpoorError('unavailable', `${path}: no address of a server is known`, {
        retryAfterMs: USUAL_RETRY_AFTER_MS,
      });
    }
    const soonestMs = Math.min(...list.map(({ breaker }) => breaker.retryAfterMs));
    return new SpoorError(
      'unavailable',
      `${path}: ${list.length === 1 ? `${list[0]!.name} does` : `none of ${list.length} servers does`} not take spans, and is left alone for a while`,
      { retryAfterMs: Math.max(USUAL_RETRY_AFTER_MS, Math.ceil(soonestMs)) },
    );
  }

  #warn(message: string): void {
    this.#throttle.log((suppressed) => {
      this.#options.logger.warn(suppressed === 0 ? {} : { suppressed }, message);
    });
  }
}

function dropReason(error: unknown): DropReason {
  const code = error instanceof SpoorError ? error.code : 'internal';
  return DROP_REASONS.find((reason) => reason === code) ?? 'internal';
}

/** The spans of a request; undefined where it is none, as in the queue of an exporter that sent something else. */
function decodedOrNone(request: ExportRequest): SpanBatch | undefined {
  try {
    return decodeRequest(request);
  } catch {
    return undefined;
  }
}
