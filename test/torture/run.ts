// SPDX-License-Identifier: Apache-2.0
import { randomInt } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { abuse } from './abuse.ts';
import { answers } from './answers.ts';
import { chain } from './chain.ts';
import { clock } from './clock.ts';
import { damage } from './damage.ts';
import { damagedFiles, failedCalls, powerLosses } from './faults.ts';
import { fullDisk } from './full-disk.ts';
import { KillLoop } from './kill-loop.ts';
import { enterOwnNetwork } from './own-network.ts';
import { overload } from './overload.ts';
import { tenants } from './tenants.ts';
import { parseTortureOptions, USAGE, type TortureOptions } from './torture-options.ts';
import { Verdict } from './verdict.ts';

async function tortureBy(
  name: string,
  directory: string,
  options: TortureOptions,
): Promise<Verdict> {
  const verdict = new Verdict(name);
  const startMs = performance.now();
  try {
    switch (name) {
      case 'answers':
        await answers(verdict, options);
        break;
      case 'calls':
        await failedCalls(verdict, options);
        break;
      case 'power':
        await powerLosses(verdict, options);
        break;
      case 'files':
        await damagedFiles(verdict, options);
        break;
      case 'disk':
        await fullDisk(directory, verdict, options);
        break;
      case 'kill':
        await new KillLoop(directory, verdict, options).run();
        break;
      case 'damage':
        await damage(directory, verdict, options);
        break;
      case 'overload':
        await overload(directory, verdict, options);
        break;
      case 'tenants':
        await tenants(directory, verdict, options);
        break;
      case 'abuse':
        await abuse(directory, verdict, options);
        break;
      case 'clock':
        await clock(directory, verdict, options);
        break;
      case 'chain':
        await chain(directory, verdict, options);
        break;
    }
  } catch (error) {
    verdict.broken('the torture comes to its end', inspect(error));
  }
  if (verdict.skipped !== undefined && !options.maySkip) {
    verdict.broken('the torture can run', verdict.skipped);
  }
  verdict.figure('seconds', (performance.now() - startMs) / 1000);
  console.log(verdict.format());
  return verdict;
}

async function main(): Promise<number> {
  let options: TortureOptions;
  try {
    options = parseTortureOptions(process.argv.slice(2), randomInt(65_536));
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
    return 2;
  }
  const shared = options.only.includes('chain') ? enterOwnNetwork() : undefined;
  console.log(`torture with --seed ${options.seed}`);
  if (shared !== undefined) console.log(`no network of its own: ${shared}`);
  const root = options.directory ?? mkdtempSync(join(tmpdir(), 'spoor-torture-'));
  mkdirSync(root, { recursive: true });
  const verdicts: Verdict[] = [];
  try {
    for (const name of options.only) {
      verdicts.push(await tortureBy(name, join(root, name), options));
    }
  } finally {
    if (options.directory === undefined) rmSync(root, { recursive: true, force: true });
  }
  let pass = 0;
  let fail = 0;
  let skipped = 0;
  for (const { counts, skipped: reason } of verdicts) {
    pass += counts.pass;
    fail += counts.fail;
    if (reason !== undefined) skipped++;
  }
  console.log(`\nseed ${options.seed}`);
  console.log(`ℹ pass ${pass}`);
  console.log(`ℹ fail ${fail}`);
  console.log(`ℹ skipped ${skipped}`);
  return fail === 0 ? 0 : 1;
}

process.exitCode = await main();
