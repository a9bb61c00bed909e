// SPDX-License-Identifier: Apache-2.0
import { existsSync, watch, type FSWatcher } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../../server/src/cli/tracegen/random.ts';
import type { StartCut } from './doomed-start.ts';

/** What the store does at the moment of a kill, as its files tell. */
export type StoreMoment = 'block' | 'manifest' | 'segment';

/** When and how one round ends. Times are ms after ready. */
export type KillMoment =
  | { readonly kind: 'soon'; readonly afterMs: number }
  | { readonly kind: 'later'; readonly afterMs: number }
  /** At the first such change after a while, or a few ms behind it. */
  | {
      readonly kind: 'during';
      readonly what: StoreMoment;
      readonly fromMs: number;
      readonly afterMs: number;
    }
  | { readonly kind: 'terminate'; readonly afterMs: number };

/** What one round does. */
export interface RoundPlan {
  /** Starts that are killed before the one that is loaded. */
  readonly doomedStarts: readonly StartCut[];
  readonly senders: number;
  readonly moment: KillMoment;
}

/** Waiting for a change ends after this time. */
const MOST_MS = 6000;

/** Every so many rounds end by SIGTERM. */
const TERMINATE_EVERY = 5;

/** Draws a round. Each kind of moment comes in turn, so that few rounds have them all. */
export function planRound(round: number, random: Random, longestMs: number): RoundPlan {
  const doomedStarts: StartCut[] = [];
  // Not before the first: there is nothing to read back then.
  if (round % 3 === 2) {
    doomedStarts.push({ from: 'opening', afterMs: random.between(0, 60) });
    if (random.chance(0.5)) doomedStarts.push({ from: 'spawn', afterMs: random.between(0, 2500) });
  }
  const senders = [4, 16, 32][round % 3]!;
  return { doomedStarts, senders, moment: planMoment(round, random, longestMs) };
}

function planMoment(round: number, random: Random, longestMs: number): KillMoment {
  if (round % TERMINATE_EVERY === TERMINATE_EVERY - 1) {
    return { kind: 'terminate', afterMs: random.between(300, longestMs) };
  }
  const during = (what: StoreMoment): KillMoment => ({
    kind: 'during',
    what,
    fromMs: random.between(200, longestMs / 2),
    afterMs: random.between(0, 8),
  });
  switch (round % TERMINATE_EVERY) {
    case 0:
      return during('block');
    case 1:
      return random.chance(0.3)
        ? { kind: 'soon', afterMs: random.between(0, 20) }
        : { kind: 'later', afterMs: random.between(100, longestMs) };
    case 2:
      return during(random.pick(['manifest', 'segment']));
    default:
      return random.chance(0.5)
        ? { kind: 'soon', afterMs: random.between(0, 20) }
        : { kind: 'later', afterMs: random.between(100, longestMs) };
  }
}

/** Waits for the moment. Resolves with a word on what it was. */
export async function waitForMoment(directory: string, moment: KillMoment): Promise<string> {
  if (moment.kind !== 'during') {
    await sleep(moment.afterMs);
    return `${moment.kind} after ${moment.afterMs} ms`;
  }
  await sleep(moment.fromMs);
  const happened = await nextChange(directory, moment.what);
  await sleep(moment.afterMs);
  return happened ? `${moment.what} + ${moment.afterMs} ms` : `no ${moment.what} came`;
}

async function nextChange(directory: string, what: StoreMoment): Promise<boolean> {
  const places: Record<StoreMoment, { path: string; of: RegExp }> = {
    block: { path: join(directory, 'tenants', 'default'), of: /\.block$/ },
    manifest: { path: directory, of: /^MANIFEST/ },
    segment: { path: join(directory, 'wal'), of: /^\d+\.wal(\.tmp)?$/ },
  };
  const { path, of } = places[what];
  // The directory of a tenant comes with its first block.
  const place = existsSync(path) ? path : directory;
  return await new Promise((resolve) => {
    const finish = (happened: boolean): void => {
      clearTimeout(limit);
      watcher.close();
      resolve(happened);
    };
    const watcher: FSWatcher = watch(place, (event, name) => {
      // Every commit changes a segment; a new one is a name that appears.
      if (what === 'segment' && event !== 'rename') return;
      if (place !== path || of.test(name ?? '')) finish(true);
    });
    const limit = setTimeout(() => finish(false), MOST_MS);
  });
}
