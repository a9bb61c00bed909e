// SPDX-License-Identifier: Apache-2.0
import { parseArgs } from 'node:util';

/** Parts of the torture, in the order in which they run. */
export const TORTURES = [
  'answers',
  'calls',
  'power',
  'files',
  'kill',
  'damage',
  'disk',
  'overload',
  'tenants',
  'abuse',
  'clock',
  'chain',
] as const;

/** One part of the torture. */
export type TortureName = (typeof TORTURES)[number];

/** How long the loop is held up depends on the machine, so a change is not judged by it. */
const NOT_IN_SLICE: readonly TortureName[] = ['abuse'];

/** What the command line asks for. */
export interface TortureOptions {
  /** The short form for every change: about eight minutes. */
  readonly slice: boolean;
  /** Rounds of the kill loop. */
  readonly rounds: number;
  /** Rounds of the chain, in each of which every process is killed. */
  readonly chainRounds: number;
  /** How long random histories are tried. */
  readonly minutes: number;
  /** Of all random choices, 0 to 65535. The same seed gives the same spans and the same plan of kills. */
  readonly seed: number;
  readonly only: readonly TortureName[];
  /** Parts that cannot run here are skipped; those that were asked for by name fail. */
  readonly maySkip: boolean;
  /** Where the stores are made; kept afterwards when given. */
  readonly directory: string | undefined;
}

const FULL_ROUNDS = 50;
const SLICE_ROUNDS = 6;
const FULL_CHAIN_ROUNDS = 5;
const SLICE_CHAIN_ROUNDS = 1;
const FULL_MINUTES = 60;
const SLICE_MINUTES = 1 / 3;

/** How the command is used. */
export const USAGE = `npm run torture -- [options]
  --slice        short: ${SLICE_ROUNDS} rounds, 20 s of histories, 12 s of overload; no ${NOT_IN_SLICE.join(', ')} unless named
  --rounds N     rounds of the kill loop, ${FULL_ROUNDS} unless told
  --chain-rounds N  of the chain, ${FULL_CHAIN_ROUNDS} unless told
  --minutes N    of random histories, ${FULL_MINUTES} unless told
  --seed N       0 to 65535; drawn and printed unless told
  --only NAME    ${TORTURES.join(' or ')}; may be given more than once
  --dir DIR      keep the stores here`;

/**
 * Reads the arguments after the program's name.
 * @throws {Error} with {@link USAGE} when they cannot be read
 */
export function parseTortureOptions(args: readonly string[], drawnSeed: number): TortureOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      slice: { type: 'boolean', default: false },
      rounds: { type: 'string' },
      'chain-rounds': { type: 'string' },
      minutes: { type: 'string' },
      seed: { type: 'string' },
      only: { type: 'string', multiple: true },
      dir: { type: 'string' },
    },
  });
  const parts = TORTURES.filter((name) => !values.slice || !NOT_IN_SLICE.includes(name));
  const only = (values.only ?? parts).map((name) => {
    const known = TORTURES.find((torture) => torture === name);
    if (known === undefined) throw new Error(`--only ${name} is none of ${TORTURES.join(', ')}`);
    return known;
  });
  const { slice } = values;
  return {
    slice,
    rounds: wholeNumber('rounds', values.rounds, 1, 10_000) ?? (slice ? SLICE_ROUNDS : FULL_ROUNDS),
    chainRounds:
      wholeNumber('chain-rounds', values['chain-rounds'], 1, 1000) ??
      (slice ? SLICE_CHAIN_ROUNDS : FULL_CHAIN_ROUNDS),
    minutes:
      wholeNumber('minutes', values.minutes, 1, 100_000) ?? (slice ? SLICE_MINUTES : FULL_MINUTES),
    seed: wholeNumber('seed', values.seed, 0, 65_535) ?? drawnSeed,
    only,
    maySkip: values.only === undefined,
    directory: values.dir,
  };
}

function wholeNumber(
  name: string,
  text: string | undefined,
  least: number,
  most: number,
): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!Number.isInteger(value) || value < least || value > most) {
    throw new Error(`--${name} ${text} is not a whole number from ${least} to ${most}`);
  }
  return value;
}
