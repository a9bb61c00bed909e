// SPDX-License-Identifier: Apache-2.0
import { parseArgs } from 'node:util';

/** Parts of the benchmark by name. */
const PARTS = ['ingest', 'ack', 'query', 'wires', 'udp', 'ui'] as const;
type Part = (typeof PARTS)[number];

/** What the command line says. */
export interface BenchOptions {
  readonly help: boolean;
  readonly spans: number;
  readonly rounds: number;
  readonly seed: number;
  readonly parts: readonly Part[];
  /** Cases of the ingest part, by the beginning of their names; empty is all. */
  readonly cases: readonly string[];
  /** Requests under way. */
  readonly workers: number;
  /** Spans a second that come while the query part asks the server. */
  readonly load: number;
  /** Longest wait for the store to be quiet, ms; 0 does not wait. */
  readonly settleMs: number;
  /** Further `--set` of the server. */
  readonly sets: readonly string[];
  /** Corpora and data directories. */
  readonly directory: string;
  /** Keep the data directory of the query part, and use it again when it is there. */
  readonly keep: boolean;
  /** Keep server and client each on a core of its own. */
  readonly pin: boolean;
  /** Append the report to bench/RESULTS.md. */
  readonly append: boolean;
}

/** Text of `npm run bench -- --help`. */
export const BENCH_HELP = `Measures Spoor beside a yardstick, in alternation. See bench/README.md.

Usage:
  npm run bench -- [options]

  --spans N        size of the corpora (default 270000: two full slabs of the store and a little more)
  --full           2,000,000 spans
  --rounds N       alternations; medians are reported (default 3)
  --seed N         of the corpora (default 2)
  --only PARTS     of ${PARTS.join(', ')}; separated by commas (default all)
  --case PREFIX    only ingest cases that begin so; may be repeated
  --workers N      requests under way (default 8)
  --load N         spans a second that come while the query part asks the server (default 0)
  --settle N       seconds to wait at most until the store has sealed everything (default 75; 0: never wait)
  --set K=V        passed on to the server; may be repeated
  --dir DIR        corpora and data directories (default bench/corpora, which is emptied of them)
  --keep           keep the data directory of the query part in --dir, and use it when it is there
  --no-pin         leave server and client on any core, as an installation would
  --no-append      do not append the report to bench/RESULTS.md

Environment:
  SPOOR_ANCHOR     an external yardstick, if present: a directory with engine.mjs (CORPUS BLOCK LEVEL) and
                   sink.mjs (PORT)
`;

/** Reads the words after `npm run bench --`. @throws {Error} when they are wrong */
export function parseBenchOptions(argv: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      spans: { type: 'string', default: '270000' },
      full: { type: 'boolean', default: false },
      rounds: { type: 'string', default: '3' },
      seed: { type: 'string', default: '2' },
      only: { type: 'string', default: PARTS.join(',') },
      case: { type: 'string', multiple: true, default: [] },
      workers: { type: 'string', default: '8' },
      load: { type: 'string', default: '0' },
      settle: { type: 'string', default: '75' },
      set: { type: 'string', multiple: true, default: [] },
      dir: { type: 'string', default: 'bench/corpora' },
      keep: { type: 'boolean', default: false },
      'no-pin': { type: 'boolean', default: false },
      'no-append': { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const parts = values.only.split(',').map((name) => {
    const part = PARTS.find((known) => known === name);
    if (part === undefined) throw new Error(`--only ${name} is not one of ${PARTS.join(', ')}`);
    return part;
  });
  return {
    help: values.help,
    spans: values.full ? 2_000_000 : whole('--spans', values.spans, 1000),
    rounds: whole('--rounds', values.rounds, 1),
    seed: whole('--seed', values.seed, 0),
    parts,
    cases: values.case,
    workers: whole('--workers', values.workers, 1),
    load: whole('--load', values.load, 0),
    settleMs: whole('--settle', values.settle, 0) * 1000,
    sets: values.set,
    directory: values.dir,
    keep: values.keep,
    pin: !values['no-pin'],
    append: !values['no-append'],
  };
}

function whole(option: string, text: string, min: number): number {
  const value = /^\d{1,12}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= min))
    throw new Error(`${option} ${text} is not a whole number of at least ${min}`);
  return value;
}
