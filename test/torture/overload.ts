// SPDX-License-Identifier: Apache-2.0
import { setTimeout as sleep } from 'node:timers/promises';
import { Random } from '../../server/src/cli/tracegen/random.ts';
import { SpoorProcess } from '../e2e/spoor-process.ts';
import { pin, splitCores } from './cores.ts';
import { FloodThread } from './flood-thread.ts';
import { FLOOD_SPANS, type FloodReport, type SendOrder } from './flood-order.ts';
import { HttpSender } from './http-sender.ts';
import { formatLook, formatMib, MemoryWatch } from './memory-watch.ts';
import { encodeRequest } from './request-body.ts';
import { RequestLedger } from './request-ledger.ts';
import { SearchProbe } from './search-probe.ts';
import { SpanPlan } from './span-plan.ts';
import { TraceChecker } from './trace-checker.ts';
import type { TortureOptions } from './torture-options.ts';
import { formatCount, type Verdict } from './verdict.ts';

/** The usual limit, and the goal for it; the slice takes the first alone. */
const MEMORY_LIMITS_MIB = [400, 300];
const MIB = 1024 * 1024;

/** How much more is offered than the server takes when it is alone with few senders. */
const OVERLOAD = 10;

/** Requests under way for the rate without overload: enough for group commits, far below any limit. */
const CALM_IN_FLIGHT = 6;

/** For how much requests are made in advance before the rate is known. */
const MOST_SPANS_PER_SECOND = 120_000;

/** Requests under way in the flood at most, by each protocol: together 2.5 times the budget for bodies. */
const FLOOD_IN_FLIGHT = 800;
/** Those of HTTP have one request at a time. */
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
  for (const limitMib of options.slice ? MEMORY_LIMITS_MIB.slice(0, 1) : MEMORY_LIMITS_MIB) {
    await overloadAt(limitMib, `${directory}-${limitMib}`, verdict, options);
  }
}

/**
 * The server has one core for itself and the senders the others, so that they need not share; what it takes unloaded is
 * measured in the same way. Requests are made before they are sent. Nobody waits as long as a refusal asks for.
 */
async function overloadAt(
  limitMib: number,
  directory: string,
  verdict: Verdict,
  options: TortureOptions,
): Promise<void> {
  const { slice, seed } = options;
  verdict.figure('— memory_limit_mib', limitMib);
  await using server = await SpoorProcess.start({
    directory,
    sets: [`memory_limit_mib=${limitMib}`],
  });
  const originUnixNano = BigInt(Date.now()) * 1_000_000n - HOUR_NANOS;
  const common = { seed, originUnixNano, step: 2 };
  await using http = new FloodThread({
    ...common,
    protocol: 'http',
    connections: FLOOD_IN_FLIGHT,
    address: server.otlpHttpUrl,
    firstRequest: 0,
    file: `${directory}-http`,
  });
  await using grpc = new FloodThread({
    ...common,
    protocol: 'grpc',
    connections: GRPC_CONNECTIONS,
    address: server.otlpGrpcAddress,
    firstRequest: 1,
    file: `${directory}-grpc`,
  });
  const floods = [http, grpc];
  const cores = splitCores();
  if (cores !== undefined) pin(server.pid, cores.server);
  const prepare = async (requests: number): Promise<void> => {
    // The server has nothing to do meanwhile, so its core helps.
    if (cores !== undefined) pin(process.pid, cores.all);
    await Promise.all(floods.map((flood) => flood.prepare(Math.ceil(requests / floods.length))));
    if (cores !== undefined) pin(process.pid, cores.senders);
    verdict.say(`${formatCount(Math.ceil(requests))} requests are made`);
  };
  const send = async (order: SendOrder): Promise<FloodReport[]> =>
    await Promise.all(floods.map((flood) => flood.send(order)));

  const calmMs = slice ? 5000 : 15_000;
  await prepare((MOST_SPANS_PER_SECOND / FLOOD_SPANS) * (calmMs / 1000));
  const calmOrder = { inFlight: CALM_IN_FLIGHT, requestsPerSecond: undefined };
  const warm = await send({ ...calmOrder, durationMs: calmMs / 3 });
  const calm = await send({ ...calmOrder, durationMs: calmMs });
  const calmRate = ackedCount(calm) / (calmMs / 1000);
  verdict.say(`takes ${formatCount(calmRate * FLOOD_SPANS)} spans/s unloaded`);
  const floodMs = slice ? 15_000 : 60_000;
  await prepare(calmRate * (floodMs / 1000) + 2 * FLOOD_IN_FLIGHT);

  const memory = new MemoryWatch(server.pid, server.healthUrl);
  const probe = new SearchProbe(server.queryUrl, verdict);
  const flooded = await send({
    durationMs: floodMs,
    inFlight: FLOOD_IN_FLIGHT,
    requestsPerSecond: ((OVERLOAD + 1) * calmRate) / floods.length,
  });
  verdict.say('the flood is over');
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
  reportRates(verdict, { calmRate, floodMs, flooded, slice });
  verdict.figure('search p50 meanwhile, ms', probe.latency.quantileMs(0.5));
  verdict.figure('search p99 meanwhile, ms', probe.latency.quantileMs(0.99));
  reportMemory(verdict, { memory, limitMib, server });
  await checkAcked(server, verdict, options, { plan, acked: [...warm, ...calm, ...flooded] });
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
  rates: { calmRate: number; floodMs: number; flooded: FloodReport[]; slice: boolean },
): void {
  const { calmRate, floodMs, flooded, slice } = rates;
  const seconds = floodMs / 1000;
  const goodRate = ackedCount(flooded) / seconds;
  verdict.figure('spans/s taken unloaded', Math.round(calmRate * FLOOD_SPANS));
  const offered = sum(flooded, (report) => report.sent) / seconds;
  verdict.figure('spans/s offered in the flood', Math.round(offered * FLOOD_SPANS));
  const times = offered / calmRate;
  verdict.figure('times what is taken', times);
  // A slice may share its cores with other work; then the figure says how far the rest holds.
  if (!slice) {
    verdict.check('ten times what it takes is offered', times >= OVERLOAD, () => {
      return `${times.toFixed(1)} times`;
    });
  }
  verdict.figure(
    'requests not made in advance',
    sum(flooded, (report) => report.unprepared),
  );
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
    verdict.figure(
      `${protocol}: refusal p50 / p99, ms`,
      `${Math.round(report.refusalMedianMs)} / ${Math.round(report.refusalP99Ms)}`,
    );
  }
}

function reportMemory(
  verdict: Verdict,
  parts: { memory: MemoryWatch; limitMib: number; server: SpoorProcess },
): void {
  const { memory, limitMib, server } = parts;
  const limitBytes = limitMib * MIB;
  const { peakBytes, samples } = memory;
  const above = memory.countAbove(limitBytes);
  verdict.figure('RSS peak of the samples', formatMib(peakBytes));
  verdict.figure('RSS high-water mark (VmHWM)', formatMib(memory.highWaterBytes));
  verdict.check(`RSS stays under ${limitMib} MiB`, above === 0, () => {
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
