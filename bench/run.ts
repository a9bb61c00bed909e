// SPDX-License-Identifier: Apache-2.0
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { benchAck } from './ack.bench.ts';
import type { BenchContext } from './bench-context.ts';
import { BENCH_HELP, parseBenchOptions, type BenchOptions } from './bench-options.ts';
import { CLIENT_CORE, canPin, pinSelf } from './child-process.ts';
import { Corpora } from './corpora.ts';
import { benchIngest } from './ingest.bench.ts';
import { describeCommit, describeMachine } from './machine.ts';
import { ProcessMeter } from './process-usage.ts';
import { benchQuery } from './query.bench.ts';
import { appendResults, formatTable, type Table } from './report.ts';
import { benchUdp } from './udp.bench.ts';
import { benchUi } from './ui.bench.ts';
import { benchWires } from './wires.bench.ts';
import { Yardstick } from './yardstick.ts';

const RESULTS = fileURLToPath(new URL('RESULTS.md', import.meta.url));

async function main(options: BenchOptions): Promise<void> {
  const startMs = performance.now();
  const date = new Date().toISOString().slice(0, 16).replace('T', ' ');
  const pinned = options.pin && canPin();
  const facts = [
    `${options.spans.toLocaleString('en-US')} spans, seed ${options.seed}, ${options.rounds} rounds, ${options.workers} requests under way`,
    ...describeMachine(pinned),
  ];
  for (const fact of facts) process.stdout.write(`${fact}\n`);
  if (pinned) pinSelf(CLIENT_CORE);
  mkdirSync(options.directory, { recursive: true });
  const meter = new ProcessMeter();
  const corpora = new Corpora(options.directory, options.spans, options.seed);
  const anchor = process.env['SPOOR_ANCHOR'];
  const context: BenchContext = {
    options,
    corpora,
    meter,
    yardstick: new Yardstick(meter, pinned, options.workers, anchor),
    pinned,
    say: (text) => process.stdout.write(`  ${text}\n`),
  };
  const tables: Table[] = [];
  try {
    if (options.parts.includes('ingest')) tables.push(...(await benchIngest(context)));
    if (options.parts.includes('ack')) tables.push(await benchAck(context));
    if (options.parts.includes('query')) tables.push(...(await benchQuery(context)));
    if (options.parts.includes('wires')) tables.push(await benchWires(context));
    if (options.parts.includes('udp')) tables.push(await benchUdp(context));
    if (options.parts.includes('ui')) tables.push(...(await benchUi(context)));
  } finally {
    corpora[Symbol.dispose]();
  }
  for (const table of tables) process.stdout.write(`\n${formatTable(table)}`);
  const heading = `${date} UTC, ${describeCommit()}`;
  if (options.append) appendResults(RESULTS, heading, facts, tables);
  process.stdout.write(`\n${heading}; ${Math.round((performance.now() - startMs) / 1000)} s\n`);
}

try {
  const options = parseBenchOptions(process.argv.slice(2));
  if (options.help) process.stdout.write(BENCH_HELP);
  else await main(options);
} catch (error) {
  process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
