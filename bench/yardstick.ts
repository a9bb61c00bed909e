// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BenchCorpus } from './corpora.ts';
import { firstJson, startNode, stopChild } from './child-process.ts';
import { sendCorpus } from './load.ts';
import type { ProcessMeter } from './process-usage.ts';
import { setTimeout as sleep } from 'node:timers/promises';

const NULL_SINK = fileURLToPath(new URL('yardstick/null-sink.ts', import.meta.url));
const COLUMNS = fileURLToPath(new URL('yardstick/columns.ts', import.meta.url));
/** Where an external sink is told to listen. */
const EXTERNAL_PORT = 4999;

/** CPU seconds for a million spans. */
export interface YardstickCost {
  /** Reading the requests off the network. */
  readonly sink: number;
  /** Decoding them into columns and compressing those. */
  readonly columns: number;
  readonly sum: number;
}

/** Measures the yardsticks with a corpus. */
export class Yardstick {
  readonly #meter: ProcessMeter;
  readonly #pinned: boolean;
  readonly #workers: number;
  readonly #external: string | undefined;

  /** @param external directory of another yardstick, if there is one */
  constructor(meter: ProcessMeter, pinned: boolean, workers: number, external: string | undefined) {
    this.#meter = meter;
    this.#pinned = pinned;
    this.#workers = workers;
    this.#external =
      external !== undefined && existsSync(join(external, 'engine.mjs')) ? external : undefined;
  }

  /** Whether there is an external one. */
  get hasExternal(): boolean {
    return this.#external !== undefined;
  }

  /** Our own. */
  async measure(corpus: BenchCorpus): Promise<YardstickCost> {
    const columns = await this.#ownColumns(corpus);
    const child = startNode([NULL_SINK], this.#pinned);
    try {
      const line = await firstJson(child);
      if (typeof line !== 'object' || line === null || !('port' in line))
        throw new Error('the sink has no port');
      const sink = await this.#sinkCost(
        child.pid!,
        `http://127.0.0.1:${String(line.port)}`,
        corpus,
      );
      return { sink, columns, sum: sink + columns };
    } finally {
      await stopChild(child);
    }
  }

  /** The external one. */
  async measureExternal(corpus: BenchCorpus): Promise<YardstickCost> {
    const directory = this.#external!;
    const columns = await this.#externalColumns(directory, corpus);
    const child = startNode(
      [join(directory, 'sink.mjs'), String(EXTERNAL_PORT)],
      this.#pinned,
      'ignore',
    );
    try {
      const endpoint = `http://127.0.0.1:${EXTERNAL_PORT}`;
      await untilListening(endpoint);
      const sink = await this.#sinkCost(child.pid!, endpoint, corpus);
      return { sink, columns, sum: sink + columns };
    } finally {
      await stopChild(child);
    }
  }

  async #ownColumns({ file }: BenchCorpus): Promise<number> {
    const child = startNode([COLUMNS, file], this.#pinned);
    const line = await firstJson(child);
    await stopChild(child);
    if (
      typeof line !== 'object' ||
      line === null ||
      !('spans' in line) ||
      !('cpuSeconds' in line)
    ) {
      throw new Error('the column yardstick printed something else');
    }
    return (Number(line.cpuSeconds) / Number(line.spans)) * 1e6;
  }

  /** It prints an object with `cpuSecPerM`: CPU seconds a span, for a million µs. */
  async #externalColumns(directory: string, { file }: BenchCorpus): Promise<number> {
    const child = startNode([join(directory, 'engine.mjs'), file, '32768', '3'], this.#pinned);
    let text = '';
    for await (const chunk of child.stdout!) text += String(chunk);
    const match = /cpuSecPerM: ([\d.]+)/.exec(text);
    if (match === null) throw new Error('the external yardstick printed no cpuSecPerM');
    return Number(match[1]);
  }

  async #sinkCost(pid: number, endpoint: string, corpus: BenchCorpus): Promise<number> {
    const before = this.#meter.read(pid).cpuSeconds;
    const { ackedSpans } = await sendCorpus({
      corpusFile: corpus.file,
      protocol: 'http',
      endpoint,
      workers: this.#workers,
    });
    return ((this.#meter.read(pid).cpuSeconds - before) / ackedSpans) * 1e6;
  }
}

async function untilListening(endpoint: string): Promise<void> {
  for (let tries = 0; tries < 500; tries++) {
    try {
      const response = await fetch(endpoint, { method: 'POST' });
      await response.arrayBuffer();
      return;
    } catch {
      await sleep(10);
    }
  }
  throw new Error(`nothing listens on ${endpoint}`);
}
