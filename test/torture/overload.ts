// SPDX-License-Identifier: Apache-2.0
import { setTimeout as sleep } from 'node:timers/promises';
import type { LatencyHistogram } from '../../server/src/cli/tracegen/latency-histogram.ts';
import { Random } from '../../server/src/cli/tracegen/random.ts';
import { ProcessMeter } from '../../bench/process-usage.ts';
import { SpoorProcess } from '../e2e/spoor-process.ts';
import { CpuQuota } from './cpu-quota.ts';
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

/** The usual limit. */
const MEMORY_LIMIT_MIB = 400;
const MIB = 1024 * 1024;

/** How much more is offered than the server takes when it is alone with few senders. */
const OVERLOAD = 10;

/** Cores that the server has, so that the others can offer that much. */
const SERVER_CORES = 0.3;

/**
 * Share of what it takes unloaded that has to be taken all the same. The aim is 0.8, which depends on the moment: merging, collecting and
 * compiling take their part of so little CPU time now in the one phase, now in the other.
 */
const LEAST_GOODPUT = 0.4;
/** The shorter the flood, the more the moment counts: 28 to 79 % were seen. */
const LEAST_GOODPUT_IN_SLICE = 0.2;

/** What the flood shows is believed when the server had so much of its share of a core, and not other programs. */
const LEAST_SHARE = 0.85;

/** Time to get warm, for each way of sending. */
const WARM_MS = 3000;

/** The server rests when it does next to nothing for so long; merging is the last that it does. */
const RESTED_MS = 1000;
const REST_STEP_MS = 250;
const MOST_REST_MS = 15_000;

/** Questions are rare, as they share the server's part of a core. */
const SEARCH_PAUSE_MS = 1000;
/** … and slow, for the same reason. */
const SEARCH_LIMIT_MS = 30_000;

/** Requests under way for the rate without overload: enough for group commits, far below any limit. */
const CALM_IN_FLIGHT = 6;

/** With all cores: for so much requests are made in advance, before the rate is known. */
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

/**
 * Sends ten times more than a server can take and watches its memory and its answers. The server has less than a core, so that
 * the senders can offer that much; what it takes unloaded is measured in the same way. Requests are made before they are
 * sent. Nobody waits as long as a refusal asks for.
 */
export async function overload(
  directory: string,
  verdict: Verdict,
  options: TortureOptions,
): Promise<void> {
  const { slice, seed } = options;
  using quota = CpuQuota.create(`spoor-torture-${process.pid}`);
  await using server = await SpoorProcess.start({
    directory,
    sets: [`memory_limit_mib=${MEMORY_LIMIT_MIB}`],
  });
  quota?.add(server.pid);
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
  const prepare = async (requests: number): Promise<void> => {
    await Promise.all(floods.map((flood) => flood.prepare(Math.ceil(requests / floods.length))));
    verdict.say(`${formatCount(Math.ceil(requests))} requests are made`);
  };
  const send = async (order: SendOrder): Promise<FloodReport[]> =>
    await Promise.all(floods.map((flood) => flood.send(order)));

  const calmMs = slice ? 4000 : 15_000;
  await prepare((MOST_SPANS_PER_SECOND / FLOOD_SPANS) * ((2 * WARM_MS + calmMs) / 1000));
  const memory = new MemoryWatch(server.pid, server.healthUrl);
  const meter = new ProcessMeter();
  const run = async (order: SendOrder): Promise<Phase> => {
    const before = meter.read(server.pid).cpuSeconds;
    const probe = new SearchProbe(server.queryUrl, verdict, SEARCH_PAUSE_MS, SEARCH_LIMIT_MS);
    const over = sleep(order.durationMs).then(() => meter.read(server.pid).cpuSeconds);
    const reports = await send(order);
    await probe.end();
    const seconds = order.durationMs / 1000;
    return { reports, seconds, cores: ((await over) - before) / seconds, search: probe.latency };
  };
  const calmOrder = { inFlight: CALM_IN_FLIGHT, requestsPerSecond: undefined };
  const floodOrder = { inFlight: FLOOD_IN_FLIGHT, requestsPerSecond: undefined };
  // The first seconds, while its code is compiled, are not what a server takes.
  const warm = await send({ ...calmOrder, durationMs: WARM_MS });
  warm.push(...(await send({ ...floodOrder, durationMs: WARM_MS })));
  await rest(server.pid, meter);
  const restedCpuSeconds = meter.read(server.pid).cpuSeconds;
  const calm = await run({ ...calmOrder, durationMs: calmMs });
  await rest(server.pid, meter);
  const calmCpuSeconds = meter.read(server.pid).cpuSeconds - restedCpuSeconds;
  // What it could take for ever: sealing and merging come after the acks, and take nothing of a short time or much.
  const steadyRate = (rateOf(calm) * calm.seconds * SERVER_CORES) / calmCpuSeconds;
  const calmRate = quota === undefined ? rateOf(calm) : steadyRate;
  verdict.say(`takes ${formatCount(calmRate * FLOOD_SPANS)} spans/s unloaded`);
  const floodMs = slice ? 12_000 : 60_000;
  await prepare(calmRate * (floodMs / 1000) + 2 * FLOOD_IN_FLIGHT);

  quota?.limit(SERVER_CORES);
  const flooded = await run({
    ...floodOrder,
    durationMs: floodMs,
    requestsPerSecond: ((OVERLOAD + 1) * calmRate) / floods.length,
  });
  verdict.say('the flood is over');
  const plan = new SpanPlan(seed, originUnixNano, FLOOD_SPANS);
  await checkNormal(server, plan, verdict);
  memory.stop();

  for (const { wrong } of flooded.reports) {
    for (const [reason, count] of Object.entries(wrong)) {
      verdict.broken('every answer is 200 or a refusal with a delay', `${count} times ${reason}`);
    }
  }
  verdict.held(
    'every answer is 200 or a refusal with a delay',
    sum(flooded.reports, (r) => r.sent),
  );
  const least = slice ? LEAST_GOODPUT_IN_SLICE : LEAST_GOODPUT;
  reportRates(verdict, { calm, calmRate, flooded, isLimited: quota !== undefined, least });
  reportMemory(verdict, { memory, server });
  quota?.limit(undefined);
  await checkAcked(server, verdict, options, {
    plan,
    acked: [...warm, ...calm.reports, ...flooded.reports],
  });
}

/** Waits until the server has sealed and merged what it has, or does not end with it. */
async function rest(pid: number, meter: ProcessMeter): Promise<void> {
  const untilMs = performance.now() + MOST_REST_MS;
  let before = meter.read(pid).cpuSeconds;
  for (let restedMs = 0; restedMs < RESTED_MS && performance.now() < untilMs;) {
    await sleep(REST_STEP_MS);
    const now = meter.read(pid).cpuSeconds;
    restedMs = now - before < (REST_STEP_MS / 1000) * 0.1 ? restedMs + REST_STEP_MS : 0;
    before = now;
  }
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

/** What came of sending for a time. */
interface Phase {
  readonly reports: readonly FloodReport[];
  readonly seconds: number;
  /** That the server used. */
  readonly cores: number;
  readonly search: LatencyHistogram;
}

/** Requests taken a second. */
function rateOf({ reports, seconds }: Phase): number {
  return sum(reports, (report) => report.ackedInTime) / seconds;
}

function reportRates(
  verdict: Verdict,
  {
    calm,
    calmRate,
    flooded,
    isLimited,
    least,
  }: { calm: Phase; calmRate: number; flooded: Phase; isLimited: boolean; least: number },
): void {
  verdict.figure('spans/s that its share of a core takes', Math.round(calmRate * FLOOD_SPANS));
  for (const [name, phase] of [
    ['with all cores', calm],
    ['in the flood', flooded],
  ] as const) {
    verdict.figure(`spans/s taken ${name}`, Math.round(rateOf(phase) * FLOOD_SPANS));
    verdict.figure(`CPU of the server ${name}, s/s`, phase.cores.toFixed(2));
    verdict.figure(
      `search p50 / p99 ${name}, ms`,
      `${Math.round(phase.search.quantileMs(0.5))} / ${Math.round(phase.search.quantileMs(0.99))}`,
    );
  }
  const offered = sum(flooded.reports, (report) => report.sent) / flooded.seconds;
  const times = offered / calmRate;
  const goodput = rateOf(flooded) / calmRate;
  verdict.figure('spans/s offered in the flood', Math.round(offered * FLOOD_SPANS));
  verdict.figure('times what is taken', times);
  verdict.figure('goodput of the unloaded rate', `${Math.round(100 * goodput)} %`);
  if (!isLimited) {
    verdict.say(
      'no control groups here: the senders share the cores of the server, and offer less',
    );
  } else if (flooded.cores < LEAST_SHARE * SERVER_CORES) {
    verdict.say('other programs took the cores: the rates say nothing');
  } else {
    verdict.check('ten times what it takes is offered', times >= OVERLOAD, () => {
      return `${times.toFixed(1)} times`;
    });
    verdict.check(`${100 * least} % of the unloaded rate are taken`, goodput >= least, () => {
      return `${Math.round(100 * goodput)} %`;
    });
  }
  verdict.figure(
    'requests not made in advance',
    sum(flooded.reports, (report) => report.unprepared),
  );
  for (const [i, protocol] of ['HTTP', 'gRPC'].entries()) {
    const report = flooded.reports[i]!;
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
  parts: { memory: MemoryWatch; server: SpoorProcess },
): void {
  const { memory, server } = parts;
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

/** Looks for what was acknowledged, as far as the time goes. */
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
  const checked = await checker.checkSome(server.queryUrl, numbers, {
    forMs: slice ? 10_000 : 300_000,
    random: new Random(seed),
  });
  verdict.figure('spans acknowledged', numbers.length * FLOOD_SPANS);
  verdict.figure('of these looked for', checked * FLOOD_SPANS);
}

function sum(reports: readonly FloodReport[], pick: (report: FloodReport) => number): number {
  return reports.reduce((total, report) => total + pick(report), 0);
}
