// SPDX-License-Identifier: Apache-2.0
import { rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { ProcessMeter } from '../../bench/process-usage.ts';
import { SpoorProcess } from '../e2e/spoor-process.ts';
import { HOSTILE_BODIES } from './hostile-bodies.ts';
import { HOSTILE_QUESTIONS, LONG_QUESTIONS } from './hostile-questions.ts';
import { HttpSender } from './http-sender.ts';
import { longestTurns, probeEnvironment } from './loop-probe.ts';
import { encodeRequest } from './request-body.ts';
import { SpanPlan } from './span-plan.ts';
import type { TortureOptions } from './torture-options.ts';
import type { Verdict } from './verdict.ts';

const MIB = 1 << 20;
/** The most that can be configured. */
const BODY_MIB = 64;
const MEMORY_LIMIT_MIB = 1000;
/** Of a body less than the limit, for the short form. */
const SLICE_BODY_MIB = 8;
/** Up to this size bodies are decoded by the main thread, in one go. */
const SMALL_BODY_MIB = 0.5;
/** What a message around its content may have. */
const FRAME_BYTES = 256;

/** Spans to ask about: a slab and what is in the head. */
const SPANS = 150_000;
const REQUEST_SPANS = 512;

/** Questions under way at a time. */
const AT_ONCE = 50;

/** One turn of the event loop, CPU time of its thread. */
const MOST_TURN_MS = 200;
/** In the short form, for a machine that does much else: caches and cores that are shared make CPU time longer too. */
const SLICE_TURN_MS = 500;
/** So many of the longest are told. */
const TOLD_TURNS = 12;
/** CPU time of all threads for {@link AT_ONCE} questions of one kind. */
const MOST_ANSWER_SECONDS = 30;
/** CPU time of all threads once nobody waits any more. */
const MOST_LEFT_SECONDS = 1;

/** A server that uses less of a core over so long has nothing to do. */
const REST_MS = 500;
const REST_CORES = 0.05;
const MOST_REST_MS = 60_000;
/** A body is tried again after a rest when there is no room for it: what the one before took is given back in this time. */
const MOST_TRIES = 60;

/** Nothing is waited for longer than this. */
const PATIENCE_MS = 300_000;

/** Bodies and questions that ask too much of a server: it stays itself, and does not work for nobody. */
export async function abuse(
  directory: string,
  verdict: Verdict,
  { slice, seed }: TortureOptions,
): Promise<void> {
  const mostTurnMs = slice ? SLICE_TURN_MS : MOST_TURN_MS;
  const turns = `${directory}-turns`;
  rmSync(turns, { force: true });
  await using server = await SpoorProcess.start({
    directory,
    env: probeEnvironment(turns),
    sets: [
      `memory_limit_mib=${MEMORY_LIMIT_MIB}`,
      // What they take is measured; how long that is depends on what else the machine does.
      `query.timeout_ms=${PATIENCE_MS}`,
      ...['otlp.protocols.http', 'zipkin', 'jaeger.protocols.thrift_http'].map(
        (receiver) => `receivers.${receiver}.max_body_mib=${BODY_MIB}`,
      ),
    ],
  });
  // What it does to start is no input.
  rmSync(turns, { force: true });
  await fill(server, seed);
  const meter = new ProcessMeter();
  await rest(server.pid, meter);
  const longestOf: { readonly ms: number; readonly what: string }[] = [];
  const checkTurns = (what: string): void => {
    const [longest = 0] = longestTurns(turns);
    rmSync(turns, { force: true });
    const promise = `no turn of the event loop is longer than ${mostTurnMs} ms`;
    verdict.check(promise, longest <= mostTurnMs, () => `${longest} ms: ${what}`);
    longestOf.push({ ms: longest, what });
  };
  checkTurns('usual load');

  for (const mib of [SMALL_BODY_MIB, slice ? SLICE_BODY_MIB : BODY_MIB]) {
    for (const { name, to, path, contentType, make } of HOSTILE_BODIES) {
      const body = make(mib * MIB - FRAME_BYTES);
      const url = `${server.addresses[to]}${path}`;
      const outcome = await send(url, contentType, body);
      const isFine = /^(2\d\d|4\d\d)$/.test(outcome);
      verdict.check('a body is taken or refused', isFine, () => `${name}: ${outcome}`);
      checkTurns(`${mib} MiB: ${name}`);
    }
  }

  let slowest = { seconds: 0, name: '' };
  for (const { name, path, isAnswered } of HOSTILE_QUESTIONS) {
    const before = meter.read(server.pid).cpuSeconds;
    const outcomes = await Promise.all(
      Array.from({ length: AT_ONCE }, () => ask(server.queryUrl + path)),
    );
    const expected = isAnswered ? /^(200|429|503)$/ : /^(400|431|429|503)$/;
    for (const [outcome, times] of Map.groupBy(outcomes, (one) => one)) {
      const promise = 'a question is answered, or refused where it asks too much';
      const what = (): string => `${name}: ${times.length} times ${outcome}`;
      verdict.check(promise, expected.test(outcome), what);
    }
    const seconds = meter.read(server.pid).cpuSeconds - before;
    const promise = `${AT_ONCE} questions at once take ${MOST_ANSWER_SECONDS} s of CPU at most`;
    verdict.check(promise, seconds <= MOST_ANSWER_SECONDS, () => `${name}: ${seconds.toFixed(1)}`);
    checkTurns(`${AT_ONCE} times ${name}`);
    if (seconds > slowest.seconds) slowest = { seconds, name };
  }

  let mostLeft = 0;
  for (const path of LONG_QUESTIONS) {
    await rest(server.pid, meter);
    const leave = new AbortController();
    const asked = Array.from({ length: AT_ONCE }, () => ask(server.queryUrl + path, leave.signal));
    await sleep(REST_MS);
    leave.abort();
    await Promise.all(asked);
    const before = meter.read(server.pid).cpuSeconds;
    await rest(server.pid, meter);
    const seconds = meter.read(server.pid).cpuSeconds - before;
    const promise = `when ${AT_ONCE} clients leave, it works ${MOST_LEFT_SECONDS} s of CPU more at most`;
    verdict.check(promise, seconds <= MOST_LEFT_SECONDS, () => `${path.slice(0, 200)}: ${seconds}`);
    mostLeft = Math.max(mostLeft, seconds);
    checkTurns(`clients that leave: ${path.slice(0, 200)}`);
  }

  const { status } = await fetch(`${server.queryUrl}/api/services`);
  verdict.check('it is as usual afterwards', status === 200, () => `${status}`);
  for (const { ms, what } of longestOf.sort((a, b) => b.ms - a.ms).slice(0, TOLD_TURNS)) {
    verdict.figure('long turn of the event loop, CPU ms', `${ms} ${what}`);
  }
  verdict.figure(
    `CPU for ${AT_ONCE} questions, s`,
    `${slowest.seconds.toFixed(1)} ${slowest.name}`,
  );
  verdict.figure('most CPU after clients had left, s', mostLeft.toFixed(2));
  verdict.check('the server lives', server.stderr === '', () => server.stderr.slice(0, 1000));
}

async function fill(server: SpoorProcess, seed: number): Promise<void> {
  const plan = new SpanPlan(seed, BigInt(Date.now() - 3_600_000) * 1_000_000n, REQUEST_SPANS);
  const sender = new HttpSender(server.otlpHttpUrl, 4);
  for (let number = 0; number * REQUEST_SPANS < SPANS; number += 4) {
    await Promise.all(
      [0, 1, 2, 3].map((i) => sender.send(encodeRequest(plan, plan.request(number + i)))),
    );
  }
  sender.close();
}

/** Waits until the server has nothing to do. */
async function rest(pid: number, meter: ProcessMeter): Promise<void> {
  const untilMs = performance.now() + MOST_REST_MS;
  for (let before = meter.read(pid).cpuSeconds; performance.now() < untilMs;) {
    await sleep(REST_MS);
    const now = meter.read(pid).cpuSeconds;
    if (now - before < (REST_MS / 1000) * REST_CORES) return;
    before = now;
  }
}

/**
 * What came of a body: the status, or what went wrong. It is sent until there is room for it. Who is refused while the body is under way
 * may not get to read why.
 */
async function send(url: string, contentType: string, body: Buffer): Promise<string> {
  for (let tries = 0; ; tries++) {
    const outcome = await sendOnce(url, contentType, body);
    if (/^\d/.test(outcome) && outcome !== '503') return outcome;
    if (tries === MOST_TRIES) return outcome;
    await sleep(REST_MS);
  }
}

async function sendOnce(url: string, contentType: string, body: Buffer): Promise<string> {
  try {
    const answer = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': contentType },
      body: new Uint8Array(body),
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    await answer.arrayBuffer();
    return String(answer.status);
  } catch (error) {
    return String(error);
  }
}

/** What came of a question. */
async function ask(url: string, signal = AbortSignal.timeout(PATIENCE_MS)): Promise<string> {
  try {
    const answer = await fetch(url, { signal });
    for await (const _ of answer.body ?? []);
    return String(answer.status);
  } catch (error) {
    return String(error);
  }
}
