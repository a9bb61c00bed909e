// SPDX-License-Identifier: Apache-2.0
import { Random } from '../../server/src/cli/tracegen/random.ts';
import { SpoorProcess } from '../e2e/spoor-process.ts';
import { startAndKill } from './doomed-start.ts';
import { findDifferences } from './exact-check.ts';
import { planRound, waitForMoment, type RoundPlan } from './kill-moment.ts';
import { LoadCrew } from './load-crew.ts';
import { RequestLedger } from './request-ledger.ts';
import { SpanPlan } from './span-plan.ts';
import { TraceChecker } from './trace-checker.ts';
import type { TortureOptions } from './torture-options.ts';
import { formatCount, type Verdict } from './verdict.ts';

/** Acknowledged requests that are looked for after each restart. */
const SAMPLE_REQUESTS = 150;

/** Traces that are also fetched as OTLP. */
const EXACT_TRACES = 5;

/** What Spoor promises for its end. */
const STOP_LIMIT_MS = 10_000;

const HOUR_NANOS = 3_600_000_000_000n;

/** Kills a server over and over on one store, and looks for what it acknowledged. */
export class KillLoop {
  readonly #directory: string;
  readonly #verdict: Verdict;
  readonly #options: TortureOptions;
  readonly #random: Random;
  readonly #plan: SpanPlan;
  readonly #ledger = new RequestLedger();
  readonly #checker: TraceChecker;
  readonly #readyMs: number[] = [];
  readonly #stopMs: number[] = [];
  readonly #kills = new Map<string, number>();

  constructor(directory: string, verdict: Verdict, options: TortureOptions) {
    this.#directory = directory;
    this.#verdict = verdict;
    this.#options = options;
    this.#random = new Random(options.seed);
    const originUnixNano = BigInt(Date.now()) * 1_000_000n - HOUR_NANOS;
    this.#plan = new SpanPlan(options.seed, originUnixNano);
    this.#checker = new TraceChecker({ plan: this.#plan, ledger: this.#ledger, verdict });
  }

  async run(): Promise<void> {
    for (let round = 0; round < this.#options.rounds; round++) {
      await this.#round(round, planRound(round, this.#random, this.#options.slice ? 2000 : 4000));
    }
    await this.#checkAll();
    this.#report();
  }

  async #round(round: number, plan: RoundPlan): Promise<void> {
    for (const cut of plan.doomedStarts) {
      this.#countKill(`in a start, ${await startAndKill(this.#directory, cut)}`);
    }
    await using server = await this.#start();
    await this.#checkSample(server);
    const { ackedSpans: before, size } = this.#ledger;
    const crew = new LoadCrew({
      plan: this.#plan,
      ledger: this.#ledger,
      random: this.#random,
      verdict: this.#verdict,
      otlpHttpUrl: server.otlpHttpUrl,
      otlpGrpcAddress: server.otlpGrpcAddress,
      senders: plan.senders,
      onAcked: (request) => this.#readOwnWrite(server, request),
    });
    const what = await waitForMoment(this.#directory, plan.moment);
    if (plan.moment.kind === 'terminate') await this.#terminate(server);
    else server.kill('SIGKILL');
    crew.stop();
    const end = await server.end;
    await crew.end();
    if (plan.moment.kind !== 'terminate') {
      this.#countKill(
        plan.moment.kind === 'during' ? `during ${plan.moment.what}` : plan.moment.kind,
      );
      this.#verdict.check('a server ends by our signal only', end.signal === 'SIGKILL', () => {
        return `ended with ${end.code ?? end.signal}: ${server.stderr.slice(0, 1000)}`;
      });
    }
    this.#checkLog(server);
    this.#verdict.say(
      `round ${round + 1}: ${plan.senders} senders, ${formatCount(this.#ledger.ackedSpans - before)} spans acknowledged of ${this.#ledger.size - size} new requests, ${this.#ledger.waiting} without answer; killed ${what}`,
    );
  }

  async #start(): Promise<SpoorProcess> {
    const startMs = performance.now();
    const server = await SpoorProcess.start({ directory: this.#directory });
    this.#readyMs.push(performance.now() - startMs);
    this.#verdict.held('a killed server starts again');
    return server;
  }

  async #checkSample(server: SpoorProcess): Promise<void> {
    const sample = this.#ledger.sample(SAMPLE_REQUESTS, this.#random);
    await this.#checker.checkRequests(server.queryUrl, sample);
    for (const request of sample.slice(0, EXACT_TRACES)) {
      const key = { request, trace: 0 };
      const differences = await findDifferences(server.queryUrl, this.#plan, key);
      this.#verdict.check('times are exact to the nanosecond', differences.length === 0, () => {
        return differences.slice(0, 3).join(' ');
      });
    }
    const service = SpanPlan.serviceName(this.#random.int(5));
    const params = new URLSearchParams({ service, limit: '20' });
    const found = await this.#checker.checkSearch(server.queryUrl, params);
    this.#verdict.check('a search finds traces', found > 0 || sample.length < 10, () => {
      return `none of ${service}`;
    });
  }

  /** What is acknowledged must be found at once, wherever it lies by then. */
  async #readOwnWrite(server: SpoorProcess, request: number): Promise<void> {
    try {
      await this.#checker.checkRequests(server.queryUrl, [request]);
    } catch (error) {
      // The kill may have cut the question as well.
      if (!(error instanceof TypeError)) throw error;
    }
  }

  async #terminate(server: SpoorProcess): Promise<void> {
    const startMs = performance.now();
    const end = await server.stop();
    const tookMs = performance.now() - startMs;
    this.#stopMs.push(tookMs);
    this.#verdict.say(`SIGTERM: ended after ${Math.round(tookMs)} ms`);
    this.#verdict.check(
      'SIGTERM ends with exit code 0 within 10 s',
      end.code === 0 && tookMs < STOP_LIMIT_MS,
      () =>
        `${end.code ?? end.signal} after ${Math.round(tookMs)} ms: ${server.stderr.slice(0, 500)}`,
    );
  }

  /** A crash is a usual thing to a store: nothing in it is an error. */
  #checkLog(server: SpoorProcess): void {
    const errors = server.log.filter(({ level }) => level === 'error' || level === 'fatal');
    this.#verdict.check('nothing is logged as an error', errors.length === 0, () => {
      return errors
        .slice(0, 3)
        .map((line) => JSON.stringify(line))
        .join(' ');
    });
    this.#verdict.check('nothing is written to standard error', server.stderr === '', () => {
      return server.stderr.slice(0, 1000);
    });
  }

  async #checkAll(): Promise<void> {
    await using server = await this.#start();
    const startMs = performance.now();
    await this.#checker.checkRequests(server.queryUrl, this.#ledger.acked());
    const seconds = (performance.now() - startMs) / 1000;
    this.#verdict.figure('seconds to read everything back', seconds);
    // The shape is of our own server.
    const status = (await (await fetch(`${server.healthUrl}/status`)).json()) as {
      store: Record<string, number>;
    };
    const inStore =
      (status.store['store_block_spans'] ?? 0) + (status.store['store_head_spans'] ?? 0);
    this.#verdict.figure('spans that lie in the store', inStore);
    this.#verdict.figure('blocks', status.store['store_blocks'] ?? 0);
    await this.#terminate(server);
    this.#checkLog(server);
  }

  #countKill(kind: string): void {
    this.#kills.set(kind, (this.#kills.get(kind) ?? 0) + 1);
  }

  #report(): void {
    const verdict = this.#verdict;
    for (const [kind, count] of this.#kills) verdict.figure(`kills ${kind}`, count);
    verdict.figure('ends by SIGTERM', this.#stopMs.length);
    verdict.figure('slowest end by SIGTERM, ms', Math.round(Math.max(0, ...this.#stopMs)));
    const sorted = this.#readyMs.toSorted((a, b) => a - b);
    verdict.figure('start to ready, median ms', Math.round(sorted[sorted.length >> 1] ?? 0));
    verdict.figure('start to ready, slowest ms', Math.round(sorted.at(-1) ?? 0));
    verdict.figure('requests acknowledged', this.#ledger.ackedRequests);
    verdict.figure('spans acknowledged', this.#ledger.ackedSpans);
    verdict.figure('spans sent without an answer at the end', this.#ledger.openSpans);
    verdict.figure('requests sent again', this.#ledger.resends);
    verdict.figure('spans read back and compared', this.#checker.checkedSpans);
  }
}
