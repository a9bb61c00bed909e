// SPDX-License-Identifier: Apache-2.0
import { setTimeout as sleep } from 'node:timers/promises';
import { Random } from '../../server/src/cli/tracegen/random.ts';
import { SpoorProcess } from '../e2e/spoor-process.ts';
import { clockEnvironment, setClock } from './clock-shift.ts';
import { storeFigures } from './damage.ts';
import { HttpSender } from './http-sender.ts';
import { encodeRequest } from './request-body.ts';
import { RequestLedger } from './request-ledger.ts';
import { SpanPlan } from './span-plan.ts';
import { TraceChecker } from './trace-checker.ts';
import type { TortureOptions } from './torture-options.ts';
import type { Verdict } from './verdict.ts';

const HOUR_MS = 3_600_000;
const YEAR_MS = 365.25 * 24 * HOUR_MS;
const HOUR_NANOS = 3_600_000_000_000n;

/** Spans are kept for so long: far less than the clock jumps. */
const MAX_AGE_HOURS = 24;

/** More than a slab takes, so that there are blocks that could expire. */
const FIRST_SPANS = 140_000;
const REQUEST_SPANS = 512;
/** Between two looks whether there is a block. */
const BLOCK_LOOK_MS = 100;
/** Requests after each jump. */
const REQUESTS = 8;
/** Older requests that are looked for after each jump; at the end all are. */
const LOOKED_FOR = 30;

/** How far the clock is off, one after the other. */
const JUMPS: readonly (readonly [name: string, offsetMs: number])[] = [
  ['an hour ahead', HOUR_MS],
  ['right again', 0],
  ['an hour behind', -HOUR_MS],
  ['the last second once more', -HOUR_MS - 1000],
  ['ten years ahead', 10 * YEAR_MS],
  ['right again', 0],
  ['ten years behind', -10 * YEAR_MS],
  ['right again', 0],
  ['in 1970', -Date.now()],
  ['right again', 0],
];
const SLICE_JUMPS = [4, 6, 7] as const;

/** A server whose clock jumps while spans come and what is too old is removed: nothing is lost, nothing waits for ever. */
export async function clock(
  directory: string,
  verdict: Verdict,
  { slice, seed }: TortureOptions,
): Promise<void> {
  const file = `${directory}-clock`;
  setClock(file, 0);
  const start = (): Promise<SpoorProcess> =>
    SpoorProcess.start({
      directory,
      env: clockEnvironment(file),
      sets: [`storage.retention.max_age_hours=${MAX_AGE_HOURS}`],
    });
  const plan = new SpanPlan(seed, BigInt(Date.now()) * 1_000_000n - HOUR_NANOS, REQUEST_SPANS);
  const ledger = new RequestLedger();
  const checker = new TraceChecker({ plan, ledger, verdict });
  const random = new Random(seed);
  let server = await start();
  const send = async (count: number, what: string): Promise<number[]> => {
    const sender = new HttpSender(server.otlpHttpUrl, 4);
    const sent: number[] = [];
    for (let i = 0; i < count; i++) {
      const number = ledger.begin(() => REQUEST_SPANS);
      const body = encodeRequest(plan, plan.request(number));
      // Twice: the second time it is known, whatever the clock says of the first.
      for (const times of ['once', 'again']) {
        const outcome = await sender.send(body);
        const isTaken = outcome.kind === 'acked';
        verdict.check('spans are taken', isTaken, () => `${what}, ${times}: ${outcome.kind}`);
        if (isTaken && times === 'once') ledger.ack(number, REQUEST_SPANS);
      }
      sent.push(number);
    }
    sender.close();
    return sent;
  };
  try {
    const all = await send(Math.ceil(FIRST_SPANS / REQUEST_SPANS), 'before');
    // Without a block nothing tells what time it was.
    while ((await storeFigures(server)).blocks === 0) await sleep(BLOCK_LOOK_MS);
    const jumps = slice ? SLICE_JUMPS.map((jump) => JUMPS[jump]!) : JUMPS;
    const some = (): Set<number> =>
      new Set(Array.from({ length: LOOKED_FOR }, () => random.pick(all)));
    for (const [what, offsetMs] of jumps) {
      verdict.say(`the clock is ${what}`);
      setClock(file, offsetMs);
      // It sees it.
      await sleep(100);
      all.push(...(await send(REQUESTS, what)));
      await checker.checkRequests(server.queryUrl, some());
      const { code } = await server.stop();
      verdict.check('SIGTERM ends with 0', code === 0, () => `${what}: ${code}`);
      // A start with this clock, which looks for what is too old.
      server = await start();
      if (Math.abs(offsetMs) > MAX_AGE_HOURS * HOUR_MS) {
        const isTold = server.log.some(({ msg }) => msg.includes('the clock of this machine'));
        verdict.check('the log tells of a clock that is far off', isTold, () => what);
      }
      all.push(...(await send(REQUESTS, `started ${what}`)));
      await checker.checkRequests(server.queryUrl, some());
    }
    await checker.checkRequests(server.queryUrl, slice ? some() : all);
    verdict.check('the server lives', server.stderr === '', () => server.stderr.slice(0, 1000));
  } finally {
    await server[Symbol.asyncDispose]();
  }
  verdict.figure('jumps of the clock', slice ? SLICE_JUMPS.length : JUMPS.length);
  verdict.figure('spans acknowledged', ledger.ackedSpans);
}
