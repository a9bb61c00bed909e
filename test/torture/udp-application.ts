// SPDX-License-Identifier: Apache-2.0
import { createSocket, type Socket } from 'node:dgram';
import { setTimeout as sleep } from 'node:timers/promises';
import { encodeDatagrams } from './jaeger-datagrams.ts';
import { readMetrics, sumOf } from './metric-reader.ts';
import type { RequestLedger } from './request-ledger.ts';
import type { SpanPlan } from './span-plan.ts';
import type { Verdict } from './verdict.ts';

/** Requests that are sent before the agent is asked how many it took. */
const WINDOW_REQUESTS = 25;

/** Pause between two requests, ms: what an agent takes easily on a machine that is busy with everything else. */
const THINK_MS = 10;

/** Long enough for datagrams to come out of the kernel and onto the disk. */
const COUNT_LIMIT_MS = 20_000;
const ASK_AGAIN_MS = 50;

/** An agent that answers twice without having counted anything between has read all there was. */
const QUIET_MS = 300;

/** Where a {@link UdpApplication} sends, and what. */
export interface UdpApplicationOptions {
  readonly plan: SpanPlan;
  readonly ledger: RequestLedger;
  readonly verdict: Verdict;
  /** Of the agent's port for compact Thrift. */
  readonly host: string;
  readonly port: number;
  /** Base URL of the agent's health and metrics. */
  readonly healthUrl: string;
}

/** What an agent has counted. */
interface AgentCounts {
  /** When it was started: another one has other counts. */
  readonly life: number;
  readonly acceptedSpans: number;
  /** Datagrams whose fate is known, and those that wait. */
  readonly datagrams: number;
  readonly waiting: number;
}

/**
 * An application with an old Jaeger client: it sends datagrams, which nobody acknowledges. Now and then it asks the agent
 * how many spans it took; if these are all that were sent since the last time, they count as acknowledged.
 */
export class UdpApplication {
  readonly #options: UdpApplicationOptions;
  readonly #socket: Socket = createSocket('udp4');
  #ending = false;
  readonly #work: Promise<void>;
  sentSpans = 0;
  /** Spans that a living agent counted as refused or dropped. */
  refusedSpans = 0;

  constructor(options: UdpApplicationOptions) {
    this.#options = options;
    this.#work = this.#run();
  }

  /** Resolves once it sends no more. */
  async end(): Promise<void> {
    this.#ending = true;
    await this.#work;
    this.#socket.close();
  }

  async #run(): Promise<void> {
    let isQuiet = false;
    while (!this.#ending) {
      const before: AgentCounts | undefined = isQuiet
        ? await this.#ask()
        : await this.#askWhenQuiet();
      const requests: number[] = [];
      let spans = 0;
      let datagrams = 0;
      // An application does not know whether there is an agent.
      while (requests.length < WINDOW_REQUESTS && !this.#ending) {
        const { plan, ledger } = this.#options;
        const request = plan.request(ledger.begin((number) => plan.request(number).spans));
        for (const datagram of encodeDatagrams(plan, request)) {
          await this.#send(datagram);
          datagrams++;
        }
        requests.push(request.number);
        spans += request.spans;
        await sleep(THINK_MS);
      }
      this.sentSpans += spans;
      isQuiet = before !== undefined && (await this.#settle(before, requests, spans, datagrams));
    }
  }

  /** Waits until the agent has counted all of a window. @returns false when nobody knows what became of it */
  async #settle(
    before: AgentCounts,
    requests: readonly number[],
    spans: number,
    datagrams: number,
  ): Promise<boolean> {
    const { plan, ledger, verdict } = this.#options;
    const endMs = performance.now() + COUNT_LIMIT_MS;
    for (;;) {
      const now = await this.#ask();
      // Who was killed has told nobody what it took.
      if (now === undefined || now.life !== before.life) return false;
      const counted = now.datagrams - before.datagrams;
      if (counted >= datagrams) {
        const accepted = now.acceptedSpans - before.acceptedSpans;
        verdict.check('each datagram is counted once', counted === datagrams, () => {
          return `${counted} counted, ${datagrams} sent`;
        });
        if (accepted === spans) {
          for (const number of requests) ledger.ack(number, plan.request(number).spans);
        } else this.refusedSpans += spans - accepted;
        return true;
      }
      if (performance.now() > endMs) {
        verdict.broken('each datagram is counted once', `${counted} of ${datagrams} are counted`);
        return false;
      }
      await sleep(ASK_AGAIN_MS);
    }
  }

  /** The counts once all is counted that was sent before; undefined while there is no agent. */
  async #askWhenQuiet(): Promise<AgentCounts | undefined> {
    for (let last = await this.#ask(); last !== undefined;) {
      await sleep(QUIET_MS);
      const now = await this.#ask();
      if (now?.life === last.life && now.datagrams === last.datagrams && now.waiting === 0) {
        return now;
      }
      last = now;
    }
    return undefined;
  }

  /** Undefined while there is no agent. */
  async #ask(): Promise<AgentCounts | undefined> {
    try {
      const metrics = await readMetrics(this.#options.healthUrl);
      const sum = (name: string): number => sumOf(metrics, name, 'transport="udp_thrift_compact"');
      return {
        life: sumOf(metrics, 'process_start_time_seconds'),
        acceptedSpans: sum('otelcol_receiver_accepted_spans'),
        datagrams:
          sum('spoor_receiver_requests_total') + sum('spoor_receiver_kernel_dropped_packets_total'),
        waiting: sum('spoor_receiver_queued_packets'),
      };
    } catch {
      return undefined;
    }
  }

  #send(datagram: Uint8Array): Promise<void> {
    const { host, port } = this.#options;
    // What cannot be sent is lost, as all datagrams may be.
    return new Promise((resolve) => this.#socket.send(datagram, port, host, () => resolve()));
  }
}
