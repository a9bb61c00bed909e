// SPDX-License-Identifier: Apache-2.0
import { setTimeout as sleep } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { LatencyHistogram } from '../../server/src/cli/tracegen/latency-histogram.ts';
import { Random } from '../../server/src/cli/tracegen/random.ts';
import { FloodGrpc } from './flood-grpc.ts';
import { FloodHttp } from './flood-http.ts';
import {
  FLOOD_SPANS,
  type FloodOrder,
  type FloodReport,
  type FloodWorkerData,
  type SendOrder,
} from './flood-order.ts';
import type { FloodTransport } from './flood-transport.ts';
import { PreparedRequests, type NumberedRequest } from './prepared-requests.ts';
import { encodeRequest } from './request-body.ts';
import { SpanPlan } from './span-plan.ts';

const TICK_MS = 5;

/** Shares of requests that are compressed, and that come without a length. */
const GZIP_RATIO = 0.15;
const CHUNKED_RATIO = 0.25;

class Flood {
  readonly #step: number;
  readonly #protocol: string;
  readonly #plan: SpanPlan;
  readonly #random: Random;
  readonly #transport: FloodTransport;
  readonly #prepared: PreparedRequests;
  #nextNumber: number;
  /** Requests that were refused, oldest first: they come again. */
  readonly #refused: NumberedRequest[] = [];
  #inFlight = 0;

  constructor(data: FloodWorkerData) {
    const { protocol, address, connections, seed, originUnixNano, firstRequest, step } = data;
    this.#step = step;
    this.#protocol = protocol;
    this.#plan = new SpanPlan(seed, originUnixNano, FLOOD_SPANS);
    this.#random = new Random(seed + firstRequest);
    this.#nextNumber = firstRequest;
    this.#prepared = new PreparedRequests(data.file);
    this.#transport =
      protocol === 'http'
        ? new FloodHttp(address, connections)
        : new FloodGrpc(address, connections);
  }

  async prepare(requests: number): Promise<void> {
    while (this.#prepared.count < requests) this.#prepared.add(this.#makeRequest());
    this.#prepared.sync();
    await this.#transport.connect();
  }

  async send(order: SendOrder): Promise<FloodReport> {
    const acked: number[] = [];
    const refused: Record<string, number> = {};
    const wrong: Record<string, number> = {};
    const ackLatency = new LatencyHistogram();
    const refusalLatency = new LatencyHistogram();
    const startMs = performance.now();
    let sent = 0;
    let ackedInTime = 0;
    let unprepared = 0;
    const sendOne = async (): Promise<void> => {
      sent++;
      this.#inFlight++;
      let numbered = this.#refused.shift() ?? this.#prepared.take();
      if (numbered === undefined) {
        numbered = this.#makeRequest();
        unprepared++;
      }
      const sentMs = performance.now();
      const outcome = await this.#transport.send(numbered.request);
      this.#inFlight--;
      const tookMs = performance.now() - sentMs;
      if (outcome.kind === 'acked' && outcome.rejectedSpans === 0) {
        acked.push(numbered.number);
        if (performance.now() - startMs < order.durationMs) ackedInTime++;
        ackLatency.record(tookMs);
        return;
      }
      if (outcome.kind === 'retry') this.#refused.push(numbered);
      if (outcome.kind === 'retry' && outcome.retryAfterMs !== undefined) {
        refused[outcome.reason] = (refused[outcome.reason] ?? 0) + 1;
        refusalLatency.record(tookMs);
      } else {
        const reason = outcome.kind === 'acked' ? 'spans rejected' : outcome.reason;
        const where = `${this.#protocol}: ${reason}${outcome.kind === 'retry' ? ' without a delay' : ''}`;
        wrong[where] = (wrong[where] ?? 0) + 1;
      }
    };
    while (performance.now() - startMs < order.durationMs) {
      const due =
        order.requestsPerSecond === undefined
          ? Infinity
          : ((performance.now() - startMs) / 1000) * order.requestsPerSecond;
      while (this.#inFlight < order.inFlight && sent < due) void sendOne();
      await sleep(order.requestsPerSecond === undefined ? 1 : TICK_MS);
    }
    while (this.#inFlight > 0) await sleep(TICK_MS);
    return {
      acked,
      ackedInTime,
      sent,
      unprepared,
      refused,
      wrong,
      ackMedianMs: ackLatency.quantileMs(0.5),
      ackP99Ms: ackLatency.quantileMs(0.99),
      refusalMedianMs: refusalLatency.quantileMs(0.5),
      refusalP99Ms: refusalLatency.quantileMs(0.99),
    };
  }

  end(): void {
    this.#prepared.close();
  }

  #makeRequest(): NumberedRequest {
    const number = this.#nextNumber;
    this.#nextNumber += this.#step;
    const body = encodeRequest(this.#plan, this.#plan.request(number));
    const form = {
      gzip: this.#random.chance(GZIP_RATIO),
      chunked: this.#random.chance(CHUNKED_RATIO),
    };
    return { number, request: this.#transport.prepare(body, form) };
  }
}

// The thread that makes this one passes exactly this.
const flood = new Flood(workerData as FloodWorkerData);
parentPort?.on('message', (order: FloodOrder) => {
  void obey(order).then((reply) => parentPort?.postMessage(reply));
});

async function obey(order: FloodOrder): Promise<FloodReport | undefined> {
  if (order.do === 'send') return await flood.send(order);
  if (order.do === 'prepare') await flood.prepare(order.requests);
  else flood.end();
  return undefined;
}
