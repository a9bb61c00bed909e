// SPDX-License-Identifier: Apache-2.0
import type { Tenant } from '@spoor/core/model/ids.ts';
import type { SpanBatch } from '@spoor/core/model/span-batch.ts';
import type { ComponentFigure, Counting } from '#pipeline/component-figures.ts';
import type { TraceExporter } from '#pipeline/trace-sink.ts';
import { batchLines, type Verbosity } from './batch-text.ts';

/** Settings of a {@link DebugExporter}. */
export interface DebugExporterSettings {
  readonly verbosity: Verbosity;
  /** Lines at most in a second; of what is more only the number of spans is told. */
  readonly maxLinesPerSecond: number;
}

/** What a {@link DebugExporter} needs besides its settings. */
export interface DebugExporterParts {
  /** Takes whole lines, with their ends: the console. */
  readonly print: (text: string) => void;
  /** Monotonic clock in ms. */
  readonly nowMs?: () => number;
}

/** Prints what passes, for eyes: a line for each batch, or the tree of each trace in it. Keeps nothing. */
export class DebugExporter implements TraceExporter, Counting {
  readonly #settings: DebugExporterSettings;
  readonly #print: (text: string) => void;
  readonly #nowMs: () => number;
  #secondEndsMs = -Infinity;
  #linesLeft = 0;
  #leftOutSpans = 0;
  #spans = 0;

  constructor(settings: DebugExporterSettings, { print, nowMs }: DebugExporterParts) {
    this.#settings = settings;
    this.#print = print;
    this.#nowMs = nowMs ?? (() => performance.now());
  }

  start(): Promise<void> {
    return Promise.resolve();
  }

  write(tenant: Tenant, batch: SpanBatch): Promise<void> {
    this.#spans += batch.rows;
    this.#turnSecond();
    if (this.#linesLeft === 0) {
      this.#leftOutSpans += batch.rows;
      return Promise.resolve();
    }
    const lines: string[] = [];
    for (const line of batchLines(tenant, batch, this.#settings.verbosity)) {
      if (lines.length === this.#linesLeft) {
        lines.push(
          `… the rest of this batch is left out: ${this.#settings.maxLinesPerSecond} lines a second`,
        );
        break;
      }
      lines.push(line);
    }
    this.#linesLeft = Math.max(0, this.#linesLeft - lines.length);
    this.#print(`${lines.join('\n')}\n`);
    return Promise.resolve();
  }

  shutdown(): Promise<void> {
    this.#tellLeftOut();
    return Promise.resolve();
  }

  *figures(): Generator<ComponentFigure> {
    const help = 'Spans that were acknowledged.';
    yield { name: 'otelcol_exporter_sent_spans', kind: 'counter', help, value: this.#spans };
  }

  #turnSecond(): void {
    const nowMs = this.#nowMs();
    if (nowMs < this.#secondEndsMs) return;
    this.#secondEndsMs = nowMs + 1000;
    this.#linesLeft = this.#settings.maxLinesPerSecond;
    this.#tellLeftOut();
  }

  #tellLeftOut(): void {
    if (this.#leftOutSpans === 0) return;
    this.#print(`… ${this.#leftOutSpans} spans were left out\n`);
    this.#leftOutSpans = 0;
  }
}
