// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Random } from '../../server/src/cli/tracegen/random.ts';
import { SpoorProcess } from '../e2e/spoor-process.ts';
import { LoadCrew } from './load-crew.ts';
import { RequestLedger } from './request-ledger.ts';
import { SearchProbe } from './search-probe.ts';
import { SpanPlan } from './span-plan.ts';
import type { TortureOptions } from './torture-options.ts';
import { TraceChecker } from './trace-checker.ts';
import type { Verdict } from './verdict.ts';

/** Size of the disk: two segments of the log, and some blocks. */
const DISK_MIB = 100;
/** What something else writes onto it. */
const FILLER_MIB = 28;
/** What is left at least when that is there. */
const SPARE_MIB = 8;
const SENDERS = 8;
const HOUR_NANOS = 3_600_000_000_000n;
/** Load on a full disk. */
const FULL_MS = 5000;
/** What Spoor promises once there is room. */
const RESUME_LIMIT_MS = 5000;
const FILL_LIMIT_MS = 120_000;
const POLL_MS = 50;
/** A slice looks for what was acknowledged for this long, three times. */
const SLICE_CHECK_MS = 10_000;

/** A real server on a small disk that fills up, and gets room again; twice. Needs to be root, for a disk in memory. */
export async function fullDisk(
  directory: string,
  verdict: Verdict,
  options: TortureOptions,
): Promise<void> {
  mkdirSync(directory, { recursive: true });
  try {
    const size = `size=${DISK_MIB}m`;
    execFileSync('mount', ['-t', 'tmpfs', '-o', size, 'spoor-torture', directory], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
  } catch (error) {
    verdict.skip(`no disk in memory can be mounted here: ${String(error)}`);
    return;
  }
  try {
    await fillTwice(directory, verdict, options);
  } finally {
    execFileSync('umount', [directory]);
    rmSync(directory, { recursive: true, force: true });
  }
}

async function fillTwice(disk: string, verdict: Verdict, options: TortureOptions): Promise<void> {
  const directory = join(disk, 'data');
  const filler = join(disk, 'filler');
  const plan = new SpanPlan(options.seed, BigInt(Date.now()) * 1_000_000n - HOUR_NANOS);
  const ledger = new RequestLedger();
  let worstResumeMs = 0;
  let leastFree = Infinity;
  const random = new Random(options.seed);
  const lookFor = async (queryUrl: string): Promise<void> => {
    const checker = new TraceChecker({ plan, ledger, verdict });
    const acked = [...ledger.acked()];
    if (!options.slice) await checker.checkRequests(queryUrl, acked);
    else await checker.checkSome(queryUrl, acked, { forMs: SLICE_CHECK_MS, random });
  };
  for (let round = 0; round < 2; round++) {
    await using server = await startWithRoom(disk, directory);
    // In the second round the blocks of the first are there, and what merging left.
    resize(disk, Math.max(DISK_MIB, usedMib(disk) + FILLER_MIB + SPARE_MIB));
    writeFileSync(filler, new Uint8Array(FILLER_MIB << 20));
    const crew = new LoadCrew({
      plan,
      ledger,
      random,
      verdict,
      otlpHttpUrl: server.otlpHttpUrl,
      otlpGrpcAddress: server.otlpGrpcAddress,
      senders: SENDERS,
    });
    const probe = new SearchProbe(server.queryUrl, verdict);
    const giveUpMs = performance.now() + FILL_LIMIT_MS;
    // Asked once at a time: sealing makes room for moments.
    let reason = '';
    while ((reason = await problem(server)) === '' && performance.now() < giveUpMs) {
      await sleep(POLL_MS);
    }
    verdict.check('a full disk is told by /ready', /disk/.test(reason), () => `it says ${reason}`);
    const ackedBefore = ledger.ackedSpans;
    const untilMs = performance.now() + FULL_MS;
    while (performance.now() < untilMs) {
      const { bavail, bsize } = statfsSync(disk);
      leastFree = Math.min(leastFree, bavail * bsize);
      await sleep(POLL_MS);
    }
    verdict.say(`${ledger.ackedSpans - ackedBefore} spans were taken after the disk was full`);
    verdict.check('the last of the space is not used', leastFree > 0, () => 'no byte was left');
    rmSync(filler);
    const roomMs = performance.now();
    const full = ledger.ackedSpans;
    while (ledger.ackedSpans === full && performance.now() - roomMs < 2 * RESUME_LIMIT_MS) {
      await sleep(POLL_MS / 5);
    }
    const resumeMs = performance.now() - roomMs;
    worstResumeMs = Math.max(worstResumeMs, resumeMs);
    verdict.check('spans are taken again within 5 s', resumeMs <= RESUME_LIMIT_MS, () => {
      return `it took ${Math.round(resumeMs)} ms`;
    });
    await crew.end();
    await probe.end();
    await lookFor(server.queryUrl);
    const end = await server.stop();
    verdict.check('the server ends well', end.code === 0 && server.stderr === '', () => {
      return `${end.code ?? end.signal} ${server.stderr.slice(0, 500)}`;
    });
  }
  await using server = await startWithRoom(disk, directory);
  await lookFor(server.queryUrl);
  verdict.figure('spans acknowledged', ledger.ackedSpans);
  verdict.figure('least that was free, MiB', leastFree / 2 ** 20);
  verdict.figure('ms until spans were taken again, at most', Math.round(worstResumeMs));
}

/** A start is told from its being ready, which it is not on a disk that is full still. */
function startWithRoom(disk: string, directory: string): Promise<SpoorProcess> {
  resize(disk, 2 * DISK_MIB);
  return SpoorProcess.start({ directory });
}

function usedMib(disk: string): number {
  const { blocks, bfree, bsize } = statfsSync(disk);
  return Math.ceil(((blocks - bfree) * bsize) / 2 ** 20);
}

function resize(disk: string, mib: number): void {
  execFileSync('mount', ['-o', `remount,size=${mib}m`, disk]);
}

/** Why the server is not ready; empty when it is. */
async function problem(server: SpoorProcess): Promise<string> {
  const answer = await fetch(`${server.healthUrl}/ready`);
  const text = await answer.text();
  return answer.status === 200 ? '' : text;
}
