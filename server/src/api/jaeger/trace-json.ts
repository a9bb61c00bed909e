// SPDX-License-Identifier: Apache-2.0
import { formatTraceId } from '@spoor/core/model/ids.ts';
import type { SpanBatch } from '@spoor/core/model/span-batch.ts';
import { SpanReader, symbolBytes } from '@spoor/core/model/span-reader.ts';
import { decodeResource } from '@spoor/core/model/value-decoder.ts';
import type { JsonStyle } from '#api/json-style.ts';
import { adjustProcess, adjustSpan } from './adjust-span.ts';
import {
  formatJaegerTraceId,
  type JaegerProcess,
  jaegerProcess,
  jaegerSpan,
} from './jaeger-span.ts';
import type { ProcessTexts } from './process-texts.ts';
import { SharedSpanIds } from './shared-span-ids.ts';
import { SpanTexts } from './span-texts.ts';
import type { KeptTagKeys } from './tag-keys.ts';

/** How a trace is shown. */
export interface TraceJsonOptions {
  /** What stands before it. */
  readonly before: string;
  readonly style: JsonStyle;
  /** Of the object in the answer. */
  readonly depth: number;
  /** As it was sent, without what Jaeger adjusts for its readers. */
  readonly raw: boolean;
  /** About the trace as a whole. */
  readonly warnings: readonly string[];
  /** Those of answers before. */
  readonly processTexts: ProcessTexts;
  readonly tagKeys: KeptTagKeys;
}

/**
 * Jaeger's JSON of one trace, in pieces of about a span.
 * @param batch all spans of the trace, at least one
 */
export function* traceJson(
  batch: SpanBatch,
  { before, style, depth, raw, warnings, processTexts, tagKeys }: TraceJsonOptions,
): Generator<string, void, undefined> {
  const spans = new SpanReader(batch);
  const processes = new ProcessTable(batch, raw, processTexts);
  const shared = yield* SharedSpanIds.find(batch, !raw);
  const traceId = formatJaegerTraceId(formatTraceId(batch.traceId, 0));

  yield `${before}{${style.line(depth + 1)}${style.name('traceID')}"${traceId}",`;
  yield `${style.line(depth + 1)}${style.name('spans')}[`;
  const texts = style.isPretty || raw || !shared.isEmpty ? undefined : SpanTexts.of(batch, tagKeys);
  for (let row = 0; row < batch.rows; row++) {
    const processId = processes.idOf(batch.resource[row]!);
    let text = texts?.get(row, processId);
    if (text === undefined) {
      const span = shared.place(spans.read(row), row);
      const shown = jaegerSpan(span, processId, shared.warnings(span));
      text = style.value(raw ? shown : adjustSpan(shown), depth + 2);
    }
    yield style.next(row === 0, depth + 2) + text;
  }
  yield `${style.line(depth + 1)}],${style.line(depth + 1)}${style.name('processes')}`;
  yield processes.toJson(style, depth + 1);
  const told = style.value(warnings.length === 0 ? null : warnings, depth + 1);
  yield `,${style.line(depth + 1)}${style.name('warnings')}${told}${style.line(depth)}}`;
}

/** Numbers the distinct processes of a trace p1, p2, … */
class ProcessTable {
  readonly #batch: SpanBatch;
  readonly #raw: boolean;
  readonly #texts: ProcessTexts;
  readonly #idByCode: (string | undefined)[] = [];
  /** Of the processes by their JSON: different resources can make the same one. */
  readonly #processes = new Map<string, { readonly id: string; readonly code: number }>();

  constructor(batch: SpanBatch, raw: boolean, texts: ProcessTexts) {
    this.#batch = batch;
    this.#raw = raw;
    this.#texts = texts;
  }

  /** @param code of the resource in the batch */
  idOf(code: number): string {
    return (this.#idByCode[code] ??= this.#number(code));
  }

  toJson(style: JsonStyle, depth: number): string {
    const entries = [...this.#processes];
    if (!style.isPretty) return `{${entries.map(([text, { id }]) => `"${id}":${text}`).join(',')}}`;
    const processes = entries.map(([, { id, code }]) => [id, this.#process(code)] as const);
    return style.value(Object.fromEntries(processes), depth);
  }

  #number(code: number): string {
    const form = this.#raw ? 'raw' : '';
    const text = this.#texts.get(this.#batch.resources, code, form, () =>
      JSON.stringify(this.#process(code)),
    );
    let known = this.#processes.get(text);
    if (known === undefined) {
      known = { id: `p${this.#processes.size + 1}`, code };
      this.#processes.set(text, known);
    }
    return known.id;
  }

  #process(code: number): JaegerProcess {
    const process = jaegerProcess(decodeResource(symbolBytes(this.#batch.resources, code)));
    return this.#raw ? process : adjustProcess(process);
  }
}
