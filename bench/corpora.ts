// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createCorpus, type CorpusProfile } from '../server/src/cli/tracegen/corpus.ts';
import {
  tenantsFile,
  tracesFile,
  writeCorpusFile,
} from '../server/src/cli/tracegen/corpus-file.ts';
import type { CorpusTruth } from '../server/src/cli/tracegen/corpus-truth.ts';

/** A corpus on disk. */
export interface BenchCorpus {
  readonly name: string;
  readonly file: string;
  readonly truth: CorpusTruth;
}

/** Yardsticks read a corpus into one buffer, which ends at 2 GiB; what they take for a span does not change with its size. */
const MOST_YARDSTICK_SPANS = 2_000_000;

const KINDS: Readonly<
  Record<string, { profile: CorpusProfile; requestSpans?: number; mostSpans?: number }>
> = {
  shop: { profile: 'shop' },
  yardstick: { profile: 'shop', mostSpans: MOST_YARDSTICK_SPANS },
  'shop-10': { profile: 'shop', requestSpans: 10 },
  hostile: { profile: 'hostile' },
};

/** Corpora of one size and seed, written when they are first asked for. */
export class Corpora implements Disposable {
  readonly #directory: string;
  readonly #spans: number;
  readonly #seed: number;
  readonly #made = new Map<string, BenchCorpus>();

  constructor(directory: string, spans: number, seed: number) {
    this.#directory = directory;
    this.#spans = spans;
    this.#seed = seed;
    mkdirSync(directory, { recursive: true });
  }

  /** What yardsticks are measured with. */
  get ofYardstick(): BenchCorpus {
    return this.get(this.#spans > MOST_YARDSTICK_SPANS ? 'yardstick' : 'shop');
  }

  /** @param name `shop`, `shop-10` (10 spans a request), `hostile` or `yardstick` (as `shop`, but for its size) */
  get(name: string): BenchCorpus {
    const made = this.#made.get(name);
    if (made !== undefined) return made;
    const kind = KINDS[name];
    if (kind === undefined) throw new Error(`there is no corpus ${name}`);
    const { mostSpans = Infinity, ...options } = kind;
    const spans = Math.min(this.#spans, mostSpans);
    const file = join(this.#directory, `${name}.bin`);
    const nowUnixNano = BigInt(Date.now()) * 1_000_000n;
    const truth = writeCorpusFile(
      file,
      createCorpus({ ...options, spans, seed: this.#seed, nowUnixNano }),
    );
    const corpus = { name, file, truth };
    this.#made.set(name, corpus);
    return corpus;
  }

  /** Deletes the files. */
  [Symbol.dispose](): void {
    for (const { file } of this.#made.values()) {
      for (const path of [file, tenantsFile(file), tracesFile(file)]) rmSync(path, { force: true });
    }
  }
}
