// SPDX-License-Identifier: Apache-2.0
import { setTimeout as sleep } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { GrpcTransport } from '../../server/src/cli/tracegen/grpc-transport.ts';
import { LatencyHistogram } from '../../server/src/cli/tracegen/latency-histogram.ts';
import type { SendOutcome } from '../../server/src/cli/tracegen/otlp-answer.ts';
import { Random } from '../../server/src/cli/tracegen/random.ts';
import {
  FLOOD_SPANS,
  type FloodOrder,
  type FloodReport,
  type FloodWorkerData,
} from './flood-order.ts';
import { HttpSender } from './http-sender.ts';
import { encodeRequest } from './request-body.ts';
import { SpanPlan } from './span-plan.ts';

const TICK_MS = 5;
const ANSWER_LIMIT_MS = 60_000;

interface Body {
  readonly number: number;
  readonly bytes: Buffer;
}

class Flood {
  readonly #data: FloodWorkerData;
  readonly #plan: SpanPlan;
  readonly #random: Random;
  readonly #http: HttpSender | undefined;
  readonly #grpc: readonly GrpcTransport[];
  #nextRequest: number;
  /** Bodies that were refused, oldest first: they come again. */
  readonly #refusedBodies: Body[] = [];
  #inFlight = 0;

  constructor(data: FloodWorkerData) {
    this.#data = data;
    this.#plan = new SpanPlan(data.seed, data.originUnixNano, FLOOD_SPANS);
    this.#random = new Random(data.seed + data.firstRequest);
    this.#nextRequest = data.firstRequest;
    const { address, connections } = data;
    this.#http = data.protocol === 'http' ? new HttpSender(address, connections) : undefined;
    this.#grpc = Array.from({ length: data.protocol === 'grpc' ? connections : 0 }, (_, i) => {
      return new GrpcTransport({
        endpoint: address,
        workers: 1,
        // One connection in five compresses.
        gzip: i % 5 === 4,
        timeoutMs: ANSWER_LIMIT_MS,
        headers: {},
        tenantHeader: 'x-tenant',
      });
    });
  }

  async run(order: FloodOrder): Promise<FloodReport> {
    const acked: number[] = [];
    const refused: Record<string, number> = {};
    const wrong: Record<string, number> = {};
    const ackLatency = new LatencyHistogram();
    const refusalLatency = new LatencyHistogram();
    const firstRequest = this.#nextRequest;
    const startMs = performance.now();
    let sent = 0;
    const send = async (): Promise<void> => {
      const body = this.#refusedBodies.shift() ?? this.#newBody();
      sent++;
      this.#inFlight++;
      const sentMs = performance.now();
      const outcome = await this.#send(body.bytes);
      this.#inFlight--;
      const tookMs = performance.now() - sentMs;
      if (outcome.kind === 'acked' && outcome.rejectedSpans === 0) {
        acked.push(body.number);
        ackLatency.record(tookMs);
        return;
      }
      if (outcome.kind === 'retry') this.#refusedBodies.push(body);
      if (outcome.kind === 'retry' && outcome.retryAfterMs !== undefined) {
        refused[outcome.reason] = (refused[outcome.reason] ?? 0) + 1;
        refusalLatency.record(tookMs);
      } else {
        const reason = outcome.kind === 'acked' ? 'spans rejected' : outcome.reason;
        const where = `${this.#data.protocol}: ${reason}${outcome.kind === 'retry' ? ' without a delay' : ''}`;
        wrong[where] = (wrong[where] ?? 0) + 1;
      }
    };
    while (performance.now() - startMs < order.durationMs) {
      const due =
        order.requestsPerSecond === undefined
          ? Infinity
          : ((performance.now() - startMs) / 1000) * order.requestsPerSecond;
      while (this.#inFlight < order.inFlight && sent < due) void send();
      await sleep(TICK_MS);
    }
    while (this.#inFlight > 0) await sleep(TICK_MS);
    return {
      acked,
      begun: (this.#nextRequest - firstRequest) / this.#data.step,
      sent,
      refused,
      wrong,
      ackMedianMs: ackLatency.quantileMs(0.5),
      ackP99Ms: ackLatency.quantileMs(0.99),
      refusalP99Ms: refusalLatency.quantileMs(0.99),
    };
  }

  #newBody(): Body {
    const number = this.#nextRequest;
    this.#nextRequest += this.#data.step;
    return { number, bytes: encodeRequest(this.#plan, this.#plan.request(number)) };
  }

  async #send(bytes: Buffer): Promise<SendOutcome> {
    if (this.#http === undefined) return await this.#random.pick(this.#grpc).send(bytes, '');
    return await this.#http.send(bytes, {
      gzip: this.#random.chance(0.15),
      chunked: this.#random.chance(0.25),
    });
  }
}

// The thread that makes this one passes exactly this.
const flood = new Flood(workerData as FloodWorkerData);
parentPort?.on('message', (order: FloodOrder) => {
  void flood.run(order).then((report) => parentPort?.postMessage(report));
});
