// SPDX-License-Identifier: Apache-2.0
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Random } from '../../server/src/cli/tracegen/random.ts';
import { SpoorProcess } from '../e2e/spoor-process.ts';
import { damageStore, DAMAGES, type DamageKind } from './damage-store.ts';
import { LoadCrew } from './load-crew.ts';
import { RequestLedger } from './request-ledger.ts';
import { SpanPlan } from './span-plan.ts';
import { TraceChecker } from './trace-checker.ts';
import type { TortureOptions } from './torture-options.ts';
import type { Verdict } from './verdict.ts';

const SENDERS = 8;
/** Blocks that the undamaged store has at least, unless the machine is too slow for that. */
const BLOCKS = 3;
/** Spans that are in no block yet, so that the log holds something. */
const LEAST_HEAD_SPANS = 2000;
/** Longer than a slab takes to be sealed. */
const SEAL_MS = 2000;
const BUILD_LIMIT_MS = 30_000;
const HOUR_NANOS = 3_600_000_000_000n;

interface BuiltStore {
  readonly directory: string;
  readonly plan: SpanPlan;
  readonly ledger: RequestLedger;
  /** In no block at the moment of the kill. */
  readonly headSpans: number;
}

/** Starts servers on copies of a store that were damaged by hand. */
export async function damage(
  directory: string,
  verdict: Verdict,
  options: TortureOptions,
): Promise<void> {
  const random = new Random(options.seed + 1);
  const built = await build(join(directory, 'whole'), verdict, options);
  const kinds: DamageKind[] = options.slice
    ? ['cut log', 'flipped block byte']
    : DAMAGES.flatMap((kind) => [kind, kind]);
  for (const [i, kind] of kinds.entries()) {
    const copy = join(directory, `copy-${i}`);
    cpSync(built.directory, copy, { recursive: true });
    await tryDamaged(copy, kind, random, built, verdict);
    rmSync(copy, { recursive: true, force: true });
  }
  verdict.figure('spans acknowledged', built.ledger.ackedSpans);
}

async function build(
  directory: string,
  verdict: Verdict,
  options: TortureOptions,
): Promise<BuiltStore> {
  const plan = new SpanPlan(options.seed, BigInt(Date.now()) * 1_000_000n - HOUR_NANOS);
  const ledger = new RequestLedger();
  await using server = await SpoorProcess.start({ directory });
  const crew = new LoadCrew({
    plan,
    ledger,
    random: new Random(options.seed),
    verdict,
    otlpHttpUrl: server.otlpHttpUrl,
    otlpGrpcAddress: server.otlpGrpcAddress,
    senders: SENDERS,
  });
  const giveUpMs = performance.now() + BUILD_LIMIT_MS;
  const wanted = options.slice ? 1 : BLOCKS;
  let figures = await storeFigures(server);
  while (figures.blocks < wanted || figures.headSpans < LEAST_HEAD_SPANS) {
    if (performance.now() > giveUpMs) throw new Error(`only ${figures.blocks} blocks were made`);
    await sleep(100);
    figures = await storeFigures(server);
  }
  await crew.end();
  // A slab that is being sealed is in the log and soon in a block as well.
  for (let before = -1; before !== figures.blocks;) {
    before = figures.blocks;
    await sleep(SEAL_MS);
    figures = await storeFigures(server);
  }
  verdict.say(`${figures.blocks} blocks, and ${figures.headSpans} spans in the log only`);
  server.kill('SIGKILL');
  await server.end;
  return { directory, plan, ledger, headSpans: figures.headSpans };
}

async function tryDamaged(
  directory: string,
  kind: DamageKind,
  random: Random,
  { plan, ledger, headSpans }: BuiltStore,
  verdict: Verdict,
): Promise<void> {
  const { what, named, atRisk } = damageStore(directory, kind, random, headSpans);
  await using server = await SpoorProcess.start({ directory });
  verdict.held('a damaged store starts');
  let missing = 0;
  const onMissing = (spans: number): void => {
    missing += spans;
  };
  const checker = new TraceChecker({ plan, ledger, verdict, onMissing });
  await checker.checkRequests(server.queryUrl, ledger.acked());
  verdict.say(`${what}: ${missing} spans missing, at most ${atRisk} may; the rest is answered`);
  verdict.check('only what was damaged is missing', missing <= atRisk, () => {
    return `${what}: ${missing} spans are missing, and only ${atRisk} were at risk`;
  });
  const lines = server.log
    .filter(({ level }) => level === 'error' || level === 'warn')
    .map((line) => JSON.stringify(line));
  verdict.check(
    'the log names what is missing',
    missing === 0 || lines.some((line) => named.test(line)),
    () => {
      return `${what}: ${missing} spans are missing, and the log says ${lines.join(' ') || 'nothing'}`;
    },
  );
  const end = await server.stop();
  verdict.check('a damaged store ends well', end.code === 0 && server.stderr === '', () => {
    return `${what}: ${end.code ?? end.signal} ${server.stderr.slice(0, 500)}`;
  });
}

/** What a server says of its store. */
export async function storeFigures(
  server: SpoorProcess,
): Promise<{ blocks: number; headSpans: number }> {
  // The shape is of our own server.
  const { store } = (await (await fetch(`${server.healthUrl}/status`)).json()) as {
    store: Record<string, number>;
  };
  return { blocks: store['store_blocks'] ?? 0, headSpans: store['store_head_spans'] ?? 0 };
}
