// SPDX-License-Identifier: Apache-2.0
import { formatSpanId, formatTraceId } from '@spoor/core/model/ids.ts';
import type { SpanBatch } from '@spoor/core/model/span-batch.ts';
import { SpanReader } from '@spoor/core/model/span-reader.ts';
import type { JsonStyle } from '#api/json-style.ts';
import { formatJaegerTraceId, jaegerProcess, jaegerSpan } from './jaeger-span.ts';

/**
 * Jaeger's JSON of one trace, in pieces of about a span.
 * @param batch all spans of the trace, at least one
 * @param depth of the object in the answer
 * @param warnings about the trace as a whole
 */
export function* traceJson(
  batch: SpanBatch,
  style: JsonStyle,
  depth: number,
  warnings: readonly string[],
): Generator<string, void, undefined> {
  const spans = new SpanReader(batch);
  const processes = new ProcessTable();
  const shared = yield* findSharedSpanIds(batch);
  const traceId = formatJaegerTraceId(formatTraceId(batch.traceId, 0));

  yield `{${style.line(depth + 1)}${style.name('traceID')}"${traceId}",`;
  yield `${style.line(depth + 1)}${style.name('spans')}[`;
  for (let row = 0; row < batch.rows; row++) {
    const span = spans.read(row);
    const processId = processes.idOf(batch.resource[row]!, () => jaegerProcess(span.resource));
    const count = shared.get(span.spanId);
    const problems = count === undefined ? [] : [`${count} different spans have this span id`];
    yield (
      style.next(row === 0, depth + 2) +
        style.value(jaegerSpan(span, processId, problems), depth + 2)
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

/** Span ids that more than one span of the trace has, with how many. Yields nothing but time. */
function* findSharedSpanIds(batch: SpanBatch): Generator<string, Map<string, number>, undefined> {
  const seen = new Set<string>();
  const shared = new Map<string, number>();
  for (let row = 0; row < batch.rows; row++) {
    const id = formatSpanId(batch.spanId, row * 8);
    if (seen.has(id)) shared.set(id, (shared.get(id) ?? 1) + 1);
    else seen.add(id);
    if (row % 1024 === 1023) yield '';
  }
  return shared;
}
