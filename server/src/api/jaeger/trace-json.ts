// SPDX-License-Identifier: Apache-2.0
import { formatTraceId } from '@spoor/core/model/ids.ts';
import type { SpanBatch } from '@spoor/core/model/span-batch.ts';
import { SpanReader } from '@spoor/core/model/span-reader.ts';
import type { JsonStyle } from '#api/json-style.ts';
import { adjustProcess, adjustSpan } from './adjust-span.ts';
import { formatJaegerTraceId, jaegerProcess, jaegerSpan } from './jaeger-span.ts';
import { SharedSpanIds } from './shared-span-ids.ts';

/** How a trace is shown. */
export interface TraceJsonOptions {
  readonly style: JsonStyle;
  /** Of the object in the answer. */
  readonly depth: number;
  /** As it was sent, without what Jaeger adjusts for its readers. */
  readonly raw: boolean;
  /** About the trace as a whole. */
  readonly warnings: readonly string[];
}

/**
 * Jaeger's JSON of one trace, in pieces of about a span.
 * @param batch all spans of the trace, at least one
 */
export function* traceJson(
  batch: SpanBatch,
  { style, depth, raw, warnings }: TraceJsonOptions,
): Generator<string, void, undefined> {
  const spans = new SpanReader(batch);
  const processes = new ProcessTable();
  const shared = yield* SharedSpanIds.find(batch, !raw);
  const traceId = formatJaegerTraceId(formatTraceId(batch.traceId, 0));

  yield `{${style.line(depth + 1)}${style.name('traceID')}"${traceId}",`;
  yield `${style.line(depth + 1)}${style.name('spans')}[`;
  for (let row = 0; row < batch.rows; row++) {
    const span = shared.place(spans.read(row), row);
    const processId = processes.idOf(batch.resource[row]!, () => {
      const process = jaegerProcess(span.resource);
      return raw ? process : adjustProcess(process);
    });
    const shown = jaegerSpan(span, processId, shared.warnings(span));
    yield (
      style.next(row === 0, depth + 2) + style.value(raw ? shown : adjustSpan(shown), depth + 2)
    );
  }
  yield `${style.line(depth + 1)}],${style.line(depth + 1)}${style.name('processes')}`;
  yield style.value(processes.toJson(), depth + 1);
  const told = style.value(warnings.length === 0 ? null : warnings, depth + 1);
  yield `,${style.line(depth + 1)}${style.name('warnings')}${told}${style.line(depth)}}`;
}

/** Numbers the distinct processes of a trace p1, p2, … */
class ProcessTable {
  readonly #idByCode = new Map<number, string>();
  readonly #processes = new Map<string, { readonly id: string; readonly process: unknown }>();

  /** @param code of the resource in the batch; different resources can make the same process */
  idOf(code: number, make: () => unknown): string {
    let id = this.#idByCode.get(code);
    if (id === undefined) {
      const process = make();
      const text = JSON.stringify(process);
      id = this.#processes.get(text)?.id ?? `p${this.#processes.size + 1}`;
      this.#processes.set(text, { id, process });
      this.#idByCode.set(code, id);
    }
    return id;
  }

  toJson(): Record<string, unknown> {
    return Object.fromEntries(
      [...this.#processes.values()].map(({ id, process }) => [id, process]),
    );
  }
}
