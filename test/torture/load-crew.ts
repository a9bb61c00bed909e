// SPDX-License-Identifier: Apache-2.0
import { setTimeout as sleep } from 'node:timers/promises';
import { GrpcTransport } from '../../server/src/cli/tracegen/grpc-transport.ts';
import type { SendOutcome } from '../../server/src/cli/tracegen/otlp-answer.ts';
import type { Random } from '../../server/src/cli/tracegen/random.ts';
import { HttpSender } from './http-sender.ts';
import { encodeRequest } from './request-body.ts';
import type { RequestLedger } from './request-ledger.ts';
import type { SpanPlan } from './span-plan.ts';
import type { Verdict } from './verdict.ts';

/** gRPC connections; each carries several senders' requests. */
const GRPC_CONNECTIONS = 4;

/** Much longer than an answer ever takes: only a server that hangs meets it. */
const ANSWER_LIMIT_MS = 60_000;

/** Pause of a sender whose connection was cut, unless the answer names one. */
const PAUSE_MS = 20;

/** Requests that wait to be sent again, at most. */
const MAX_WAITING = 100;

const DEFAULT_TENANT = '';

/** What a crew works with. */
export interface CrewOptions {
  readonly plan: SpanPlan;
  readonly ledger: RequestLedger;
  readonly random: Random;
  readonly verdict: Verdict;
  readonly otlpHttpUrl: string;
  readonly otlpGrpcAddress: string;
  /** Half of them speak gRPC, half HTTP. */
  readonly senders: number;
  /** Pause of a sender between two requests, ms; none unless given. */
  readonly thinkMs?: number;
  /** Called with some requests in the moment of their acknowledgement. */
  readonly onAcked?: (request: number) => Promise<void>;
}

/**
 * Senders of both protocols that load one server as fast as it takes requests. One whose answer does not come
 * is not acknowledged and is sent again later, identically, over either protocol.
 */
export class LoadCrew {
  readonly #options: CrewOptions;
  readonly #http: HttpSender;
  readonly #grpc: readonly GrpcTransport[];
  readonly #impatientGrpc: GrpcTransport;
  #ending = false;
  readonly #work: Promise<unknown>;

  constructor(options: CrewOptions) {
    this.#options = options;
    const { senders, otlpGrpcAddress } = options;
    this.#http = new HttpSender(options.otlpHttpUrl, senders);
    const grpc = (gzip: boolean, timeoutMs: number): GrpcTransport =>
      new GrpcTransport({
        endpoint: otlpGrpcAddress,
        workers: senders,
        gzip,
        timeoutMs,
        headers: {},
        tenantHeader: 'x-tenant',
      });
    // One in four compresses.
    this.#grpc = Array.from({ length: GRPC_CONNECTIONS }, (_, i) => grpc(i === 0, ANSWER_LIMIT_MS));
    this.#impatientGrpc = grpc(false, 8);
    this.#work = Promise.all(
      Array.from({ length: senders }, (_, i) => this.#send(i % 2 === 0 ? 'grpc' : 'http')),
    );
  }

  /** No sender begins another request. */
  stop(): void {
    this.#ending = true;
  }

  /** Waits until every sender has its answer, or learned that none comes. */
  async end(): Promise<void> {
    this.stop();
    await this.#work;
    this.#http.close();
    for (const transport of [...this.#grpc, this.#impatientGrpc]) transport.close();
  }

  async #send(protocol: 'grpc' | 'http'): Promise<void> {
    const { plan, ledger, random, verdict, thinkMs, onAcked } = this.#options;
    while (!this.#ending) {
      if (thinkMs !== undefined) await sleep(thinkMs);
      // Exporters drop new spans when too many wait; so many are enough here.
      const mustResend = ledger.waiting >= MAX_WAITING;
      const number =
        (mustResend || random.chance(0.5) ? ledger.takeAgain(random) : undefined) ??
        ledger.begin((request) => plan.request(request).spans);
      const request = plan.request(number);
      const outcome = await this.#sendOnce(protocol, encodeRequest(plan, request));
      if (outcome.kind === 'acked') {
        ledger.ack(number, request.spans);
        verdict.check('whole requests are taken', outcome.rejectedSpans === 0, () => {
          return `request ${number}: ${outcome.rejectedSpans} spans rejected: ${outcome.message}`;
        });
        if (onAcked !== undefined && random.chance(0.01)) await onAcked(number);
        continue;
      }
      ledger.putAgain(number);
      if (outcome.kind === 'failed') {
        verdict.broken(
          'a good request is never refused for good',
          `${protocol}: ${outcome.reason}`,
        );
      }
      const hintMs = outcome.kind === 'retry' ? outcome.retryAfterMs : undefined;
      if (!this.#ending) await sleep(Math.min(hintMs ?? PAUSE_MS, 200));
    }
  }

  async #sendOnce(protocol: 'grpc' | 'http', body: Uint8Array): Promise<SendOutcome> {
    const { random } = this.#options;
    const isImpatient = random.chance(0.03);
    if (protocol === 'grpc') {
      const transport = isImpatient ? this.#impatientGrpc : random.pick(this.#grpc);
      return await transport.send(body, DEFAULT_TENANT);
    }
    return await this.#http.send(body, {
      gzip: random.chance(0.2),
      chunked: random.chance(0.2),
      ...(isImpatient ? { patienceMs: random.between(1, 8) } : {}),
    });
  }
}
