// SPDX-License-Identifier: Apache-2.0
import { setTimeout as sleep } from 'node:timers/promises';
import { Random } from '../../server/src/cli/tracegen/random.ts';
import { NO_KAFKA } from '../e2e/kafka-server.ts';
import type { ChainNode, Killable } from './chain-node.ts';
import { ChainNodes } from './chain-nodes.ts';
import { findDifferences } from './exact-check.ts';
import { LoadCrew } from './load-crew.ts';
import { readMetrics, sumOf } from './metric-reader.ts';
import { RequestLedger } from './request-ledger.ts';
import { SpanPlan } from './span-plan.ts';
import type { TortureOptions } from './torture-options.ts';
import { TraceChecker } from './trace-checker.ts';
import { UdpApplication } from './udp-application.ts';
import type { Verdict } from './verdict.ts';

const HOUR_NANOS = 3_600_000_000_000n;

/** Senders of each application that speaks OTLP, and the pause of each between two requests. */
const SENDERS = 2;
const THINK_MS = 400;

/** Spans of a request that goes over UDP: two datagrams. */
const UDP_SPANS = 20;

/** Acknowledgements that show that load is taken again. */
const TAKEN_AGAIN = 10;
/** Liveness limits, ms: of a hop that takes load again, and of all that was acknowledged to come through. */
const TAKEN_AGAIN_LIMIT_MS = 60_000;
const ARRIVAL_LIMIT_MS = 180_000;
const LOOK_AGAIN_MS = 250;

/** Requests that are looked for together. */
const LOOK_REQUESTS = 50;

/** Traces that are also fetched as OTLP. */
const EXACT_TRACES = 20;

/** Requests of one kind, with what is known about them. */
interface Load {
  readonly plan: SpanPlan;
  readonly ledger: RequestLedger;
}

/**
 * Sends spans through separate processes of all roles, kills these and Kafka in turn under load, and looks for what was
 * acknowledged on any hop: over OTLP by the agent and by the collectors, and over UDP what the agent says it took.
 */
export async function chain(
  directory: string,
  verdict: Verdict,
  options: TortureOptions,
): Promise<void> {
  if (NO_KAFKA !== false) {
    verdict.skip(NO_KAFKA);
    return;
  }
  await using nodes = await ChainNodes.start(directory, verdict);
  await new Chain(nodes, verdict, options).run();
}

class Chain {
  readonly #nodes: ChainNodes;
  readonly #verdict: Verdict;
  readonly #options: TortureOptions;
  readonly #random: Random;
  readonly #otlp: Load;
  readonly #udp: Load;
  readonly #kills = new Map<string, number>();

  constructor(nodes: ChainNodes, verdict: Verdict, options: TortureOptions) {
    const { seed } = options;
    const originUnixNano = BigInt(Date.now()) * 1_000_000n - HOUR_NANOS;
    this.#nodes = nodes;
    this.#verdict = verdict;
    this.#options = options;
    this.#random = new Random(seed);
    this.#otlp = { plan: new SpanPlan(seed, originUnixNano), ledger: new RequestLedger() };
    const other = (seed + 1) % 65_536;
    const plan = new SpanPlan(other, originUnixNano, UDP_SPANS);
    this.#udp = { plan, ledger: new RequestLedger() };
  }

  async run(): Promise<void> {
    const { agent, collectors, query } = this.#nodes;
    const crews = [agent, ...collectors].map((node) => this.#crewOf(node));
    const application = new UdpApplication({
      ...this.#udp,
      verdict: this.#verdict,
      host: agent.host.address,
      port: 6831,
      healthUrl: agent.process.healthUrl,
    });
    try {
      for (let round = 0; round < this.#options.chainRounds; round++) await this.#round(round);
    } finally {
      await application.end();
      await Promise.all(crews.map((crew) => crew.end()));
    }
    await this.#arrival();
    await query.kill();
    await query.start();
    await this.#checkAll(query.process.queryUrl);
    await this.#nodes.stop();
    this.#report(application);
  }

  /** Applications that speak OTLP share their requests: one that a process did not answer goes to any of them. */
  #crewOf({ process }: ChainNode): LoadCrew {
    const { otlpHttpUrl, otlpGrpcAddress } = process;
    return new LoadCrew({
      ...this.#otlp,
      random: this.#random,
      verdict: this.#verdict,
      otlpHttpUrl,
      otlpGrpcAddress,
      senders: SENDERS,
      thinkMs: THINK_MS,
    });
  }

  /** Kills each process once; in a long run also some at the same time. */
  async #round(round: number): Promise<void> {
    const { slice } = this.#options;
    const all = shuffled(this.#nodes.killables, this.#random);
    const turns = all.map((one) => [one]);
    if (!slice) {
      for (const count of [2, 2, 3]) turns.push(shuffled(all, this.#random).slice(0, count));
    }
    for (const victims of turns) {
      await sleep(this.#random.between(200, slice ? 800 : 3000));
      await this.#turn(round, victims, this.#random.between(0, slice ? 1000 : 6000));
    }
  }

  async #turn(round: number, victims: readonly Killable[], downMs: number): Promise<void> {
    const { ledger } = this.#otlp;
    const names = victims.map(({ name }) => name).join(', ');
    const { ackedSpans } = ledger;
    await Promise.all(victims.map((victim) => victim.kill()));
    for (const { name } of victims) this.#kills.set(name, (this.#kills.get(name) ?? 0) + 1);
    await sleep(downMs);
    const whileDown = ledger.ackedSpans - ackedSpans;
    await Promise.all(victims.map((victim) => victim.start()));
    const { ackedRequests } = ledger;
    const isTaken = await this.#until(
      () => ledger.ackedRequests >= ackedRequests + TAKEN_AGAIN,
      TAKEN_AGAIN_LIMIT_MS,
    );
    this.#verdict.check('load is taken again', isTaken, () => `after ${names} came back`);
    this.#verdict.say(
      `round ${round + 1}: killed ${names} for ${downMs} ms, ${whileDown} spans acknowledged meanwhile; ${ledger.ackedSpans} and ${this.#udp.ledger.ackedSpans} over UDP in all`,
    );
  }

  /** Waits until everything has come through: what was acknowledged is found, and nothing is under way. */
  async #arrival(): Promise<void> {
    const startMs = performance.now();
    const endMs = startMs + ARRIVAL_LIMIT_MS;
    const { agent, ingesters, query } = this.#nodes;
    for (const { plan, ledger } of [this.#otlp, this.#udp]) {
      let missing = 0;
      const onMissing = (spans: number): void => void (missing += spans);
      const { queryUrl } = query.process;
      const checker = new TraceChecker({ plan, ledger, verdict: this.#verdict, onMissing });
      const acked = ledger.acked();
      for (let i = 0; i < acked.length; i += LOOK_REQUESTS) {
        do {
          if (missing > 0) await sleep(LOOK_AGAIN_MS);
          missing = 0;
          await checker.checkRequests(queryUrl, acked.slice(i, i + LOOK_REQUESTS));
        } while (missing > 0 && performance.now() < endMs);
      }
    }
    const queued = async (): Promise<number> => {
      const texts = await Promise.all(
        [agent, ...ingesters].map(({ process }) => readMetrics(process.healthUrl)),
      );
      return texts
        .map(
          (text) =>
            sumOf(text, 'otelcol_exporter_queue_size') + sumOf(text, 'spoor_kafka_receiver_lag'),
        )
        .reduce((a, b) => a + b, 0);
    };
    let left = await queued();
    while (left > 0 && performance.now() < endMs) {
      await sleep(LOOK_AGAIN_MS);
      left = await queued();
    }
    this.#verdict.check('everything comes through', left === 0, () => `${left} wait in queues`);
    this.#verdict.figure(
      'seconds until everything was there',
      (performance.now() - startMs) / 1000,
    );
  }

  async #checkAll(queryUrl: string): Promise<void> {
    const { plan, ledger } = this.#otlp;
    const verdict = this.#verdict;
    for (const load of [this.#otlp, this.#udp]) {
      const checker = new TraceChecker({ ...load, verdict });
      await checker.checkRequests(queryUrl, load.ledger.acked());
      verdict.check('acknowledged spans were looked for', checker.checkedSpans > 0, () => 'none');
    }
    for (const request of ledger.sample(EXACT_TRACES, this.#random)) {
      const differences = await findDifferences(queryUrl, plan, { request, trace: 0 });
      verdict.check('times are exact to the nanosecond', differences.length === 0, () => {
        return differences.slice(0, 3).join(' ');
      });
    }
  }

  async #until(holds: () => boolean, limitMs: number): Promise<boolean> {
    const endMs = performance.now() + limitMs;
    while (!holds()) {
      if (performance.now() > endMs) return false;
      await sleep(LOOK_AGAIN_MS / 5);
    }
    return true;
  }

  #report(application: UdpApplication): void {
    const { ledger } = this.#otlp;
    const udp = this.#udp.ledger;
    for (const [name, count] of this.#kills) this.#verdict.figure(`kills of ${name}`, count);
    this.#verdict.figure('requests acknowledged over OTLP', ledger.ackedRequests);
    this.#verdict.figure('spans acknowledged over OTLP', ledger.ackedSpans);
    this.#verdict.figure('requests that were sent again', ledger.resends);
    this.#verdict.figure('spans sent over UDP', application.sentSpans);
    this.#verdict.figure('of these known as taken by the agent', udp.ackedSpans);
    this.#verdict.figure('of these refused by the agent', application.refusedSpans);
  }
}

function shuffled<T>(items: readonly T[], random: Random): T[] {
  const left = [...items];
  return items.map(() => left.splice(random.int(left.length), 1)[0]!);
}
