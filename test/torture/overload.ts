// SPDX-License-Identifier: Apache-2.0
import { setTimeout as sleep } from 'node:timers/promises';
import { Random } from '../../server/src/cli/tracegen/random.ts';
import { SpoorProcess } from '../e2e/spoor-process.ts';
import { FloodThread } from './flood-thread.ts';
import { FLOOD_SPANS, type FloodOrder, type FloodReport } from './flood-order.ts';
import { HttpSender } from './http-sender.ts';
import { formatLook, formatMib, MemoryWatch } from './memory-watch.ts';
import { encodeRequest } from './request-body.ts';
import { RequestLedger } from './request-ledger.ts';
import { SearchProbe } from './search-probe.ts';
import { SpanPlan } from './span-plan.ts';
import { TraceChecker } from './trace-checker.ts';
import type { TortureOptions } from './torture-options.ts';
import { formatCount, type Verdict } from './verdict.ts';

/** The usual limit, and the one that the figures are about. */
const MEMORY_LIMIT_MIB = 400;
const MIB = 1024 * 1024;

/** How much more is offered than the server takes when it is alone with few senders. */
const OVERLOAD = 10;

/** Requests under way for the rate without overload: enough for group commits, far below any limit. */
const CALM_IN_FLIGHT = 6;

/** Requests under way in the flood, by each protocol: together 1.5 times the budget for bodies. */
const FLOOD_IN_FLIGHT = 480;
const HTTP_CONNECTIONS = 480;
const GRPC_CONNECTIONS = 60;

/** How soon all is as usual afterwards. */
const NORMAL_WITHIN_MS = 10_000;
/** What is usual. */
const NORMAL_ANSWER_MS = 1000;

const HOUR_NANOS = 3_600_000_000_000n;

/** Acknowledged requests looked for between two looks at the clock. */
const CHECK_STEP = 40;

/** Sends ten times more than a server can take and watches its memory and its answers. */
export async function overload(
  directory: string,
  verdict: Verdict,
  options: TortureOptions,
): Promise<void> {
  const { slice, seed } = options;
  await using server = await SpoorProcess.start({
    directory,
    sets: [`memory_limit_mib=${MEMORY_LIMIT_MIB}`],
  });
  const originUnixNano = BigInt(Date.now()) * 1_000_000n - HOUR_NANOS;
  const common = { seed, originUnixNano, step: 2 };
  await using http = new FloodThread({
    ...common,
    protocol: 'http',
    address: server.otlpHttpUrl,
    connections: HTTP_CONNECTIONS,
    firstRequest: 0,
  });
  await using grpc = new FloodThread({
    ...common,
    protocol: 'grpc',
    address: server.otlpGrpcAddress,
    connections: GRPC_CONNECTIONS,
    firstRequest: 1,
  });
  const both = async (order: FloodOrder): Promise<FloodReport[]> =>
    await Promise.all([http.send(order), grpc.send(order)]);

  const calmMs = slice ? 4000 : 10_000;
  await both({ durationMs: 1500, inFlight: CALM_IN_FLIGHT, requestsPerSecond: undefined });
  const calm = await both({
    durationMs: calmMs,
    inFlight: CALM_IN_FLIGHT,
    requestsPerSecond: undefined,
  });
  const calmRate = ackedCount(calm) / (calmMs / 1000);
  verdict.say(`takes ${formatCount(calmRate * FLOOD_SPANS)} spans/s unloaded`);

  const memory = new MemoryWatch(server.pid, server.healthUrl);
  const probe = new SearchProbe(server.queryUrl, verdict);
  const floodMs = slice ? 15_000 : 60_000;
  const flooded = await both({
    durationMs: floodMs,
    inFlight: FLOOD_IN_FLIGHT,
    requestsPerSecond: (OVERLOAD * calmRate) / 2,
  });
  await probe.end();
  const plan = new SpanPlan(seed, originUnixNano, FLOOD_SPANS);
  await checkNormal(server, plan, verdict);
  memory.stop();

  for (const { wrong } of flooded) {
    for (const [reason, count] of Object.entries(wrong)) {
      verdict.broken('every answer is 200 or a refusal with a delay', `${count} times ${reason}`);
    }
  }
  verdict.held(
    'every answer is 200 or a refusal with a delay',
    sum(flooded, (r) => r.sent),
  );
  reportRates(verdict, { calmRate, floodMs, flooded });
  verdict.figure('search p50 meanwhile, ms', probe.latency.quantileMs(0.5));
  verdict.figure('search p99 meanwhile, ms', probe.latency.quantileMs(0.99));
  reportMemory(verdict, memory, server);
  await checkAcked(server, verdict, options, { plan, acked: [...calm, ...flooded] });
}

/** A usual request and a usual question are answered as usual. */
async function checkNormal(server: SpoorProcess, plan: SpanPlan, verdict: Verdict): Promise<void> {
  const sender = new HttpSender(server.otlpHttpUrl, 1);
  const startMs = performance.now();
  // Numbers that the flood does not reach.
  for (let number = 10_000_000; ; number++) {
    const askedMs = performance.now();
    const outcome = await sender.send(encodeRequest(plan, plan.request(number)));
    const answer = await fetch(`${server.queryUrl}/api/services`);
    await answer.arrayBuffer();
    const nowMs = performance.now();
    const isNormal =
      outcome.kind === 'acked' && answer.status === 200 && nowMs - askedMs < NORMAL_ANSWER_MS;
    if (!isNormal && nowMs - startMs < NORMAL_WITHIN_MS) {
      await sleep(100);
      continue;
    }
    verdict.check('back to normal within 10 s', isNormal, () => {
      return `${outcome.kind}, ${answer.status}, ${Math.round(nowMs - askedMs)} ms`;
    });
    verdict.figure('back to normal after, ms', Math.round(nowMs - startMs));
    sender.close();
    return;
  }
}

function reportRates(
  verdict: Verdict,
  { calmRate, floodMs, flooded }: { calmRate: number; floodMs: number; flooded: FloodReport[] },
): void {
  const seconds = floodMs / 1000;
  const goodRate = ackedCount(flooded) / seconds;
  verdict.figure('spans/s taken unloaded', Math.round(calmRate * FLOOD_SPANS));
  const offered = sum(flooded, (report) => report.sent) / seconds;
  verdict.figure('spans/s offered in the flood', Math.round(offered * FLOOD_SPANS));
  verdict.figure('times what is taken', offered / calmRate);
  verdict.figure('spans/s taken in the flood', Math.round(goodRate * FLOOD_SPANS));
  verdict.figure('goodput of the unloaded rate', `${Math.round((100 * goodRate) / calmRate)} %`);
  for (const [i, protocol] of ['HTTP', 'gRPC'].entries()) {
    const report = flooded[i]!;
    verdict.figure(`${protocol}: requests acknowledged`, report.acked.length);
    for (const [reason, count] of Object.entries(report.refused)) {
      verdict.figure(`${protocol}: refused by ${reason}`, count);
    }
    verdict.figure(
      `${protocol}: answer p50 / p99, ms`,
      `${Math.round(report.ackMedianMs)} / ${Math.round(report.ackP99Ms)}`,
    );
    verdict.figure(`${protocol}: refusal p99, ms`, Math.round(report.refusalP99Ms));
  }
}

function reportMemory(verdict: Verdict, memory: MemoryWatch, server: SpoorProcess): void {
  const limitBytes = MEMORY_LIMIT_MIB * MIB;
  const { peakBytes, samples } = memory;
  const above = memory.countAbove(limitBytes);
  verdict.figure('RSS peak of the samples', formatMib(peakBytes));
  verdict.figure('RSS high-water mark (VmHWM)', formatMib(memory.highWaterBytes));
  verdict.check(`RSS stays under ${MEMORY_LIMIT_MIB} MiB`, above === 0, () => {
    return `${above} of ${samples.length} samples are above; peak ${formatMib(peakBytes)}`;
  });
  if (above > 0 && memory.highest !== undefined) {
    for (const line of formatLook(memory.highest)) verdict.say(`  at the peak: ${line}`);
  }
  verdict.check('the server lives', server.stderr === '', () => server.stderr.slice(0, 1000));
}

/** Looks for everything that was acknowledged, newest first, as far as the time goes. */
async function checkAcked(
  server: SpoorProcess,
  verdict: Verdict,
  { slice, seed }: TortureOptions,
  { plan, acked }: { plan: SpanPlan; acked: readonly FloodReport[] },
): Promise<void> {
  const ledger = new RequestLedger();
  const numbers = acked.flatMap((report) => report.acked);
  const isAcked = new Set(numbers);
  const highest = numbers.reduce((most, number) => Math.max(most, number), 0);
  for (let number = 0; number <= highest + 1; number++) {
    ledger.begin(() => FLOOD_SPANS);
    if (isAcked.has(number)) ledger.ack(number, FLOOD_SPANS);
  }
  const checker = new TraceChecker({ plan, ledger, verdict });
  const random = new Random(seed);
  const order = numbers.toSorted(() => random.float() - 0.5);
  const untilMs = performance.now() + (slice ? 15_000 : 180_000);
  let checked = 0;
  while (checked < order.length && performance.now() < untilMs) {
    await checker.checkRequests(server.queryUrl, order.slice(checked, checked + CHECK_STEP));
    checked += CHECK_STEP;
  }
  verdict.figure('spans acknowledged', numbers.length * FLOOD_SPANS);
  verdict.figure('of these looked for', Math.min(checked, order.length) * FLOOD_SPANS);
}

function ackedCount(reports: readonly FloodReport[]): number {
  return sum(reports, (report) => report.acked.length);
}

function sum(reports: readonly FloodReport[], pick: (report: FloodReport) => number): number {
  return reports.reduce((total, report) => total + pick(report), 0);
}
