// SPDX-License-Identifier: Apache-2.0
import { SpoorError } from '@spoor/core/model/errors.ts';
import { formatTraceId, type TraceId } from '@spoor/core/model/ids.ts';
import type { SpanBatch } from '@spoor/core/model/span-batch.ts';
import type { JsonStyle } from '#api/json-style.ts';
import type { JaegerError } from './envelope.ts';
import { formatJaegerTraceId } from './jaeger-span.ts';
import type { TraceJsonOptions } from './trace-json.ts';

/** Where the JSON of a trace stands in its answer. */
export type TracePlace = Pick<TraceJsonOptions, 'before' | 'style' | 'depth' | 'warnings'>;

/** There are no traces. @param warnings what to say beside that */
export function notFoundError(message: string, warnings: readonly string[]): SpoorError {
  return new SpoorError('not_found', [message, ...warnings].join('; '));
}

/** Traces that were asked for by id. */
interface Wanted<Trace> {
  readonly ids: readonly TraceId[];
  readonly idOf: (trace: Trace) => TraceId;
}

/** Traces that were asked for by these ids and are read with all of their spans. */
export function wantedBatches(ids: readonly TraceId[]): Wanted<SpanBatch> {
  return { ids, idOf: ({ traceId }) => formatTraceId(traceId, 0) };
}

/**
 * Jaeger's v1 answer with traces, one by one.
 * @param more.entry what is written of a trace, piece by piece
 * @param more.notFound what to say where there are no traces
 * @param more.warnings what to say beside what has been read by now
 * @param more.wanted those of which the missing ones are told in `errors`
 * @param more.nextPage token with which to ask for the next page
 */
export async function* tracesAnswer<Trace>(
  traces: AsyncIterable<Trace>,
  style: JsonStyle,
  more: {
    readonly entry: (trace: Trace, place: TracePlace) => Iterable<string>;
    readonly warnings: () => readonly string[];
    readonly wanted?: Wanted<Trace>;
    readonly nextPage?: string | undefined;
    readonly notFound?: string;
  },
): AsyncGenerator<Iterable<string>, void> {
  const missing = new Set<TraceId>(more.wanted?.ids);
  const { notFound, wanted } = more;
  const begin = `{${style.line(1)}${style.name('data')}[`;
  let first = true;
  for await (const trace of traces) {
    if (wanted !== undefined) missing.delete(wanted.idOf(trace));
    const before = (first ? begin : '') + style.next(first, 2);
    const warnings = more.warnings();
    yield more.entry(trace, { before, style, depth: 2, warnings });
    first = false;
  }
  if (first && notFound !== undefined) throw notFoundError(notFound, more.warnings());
  const errors = [...missing].map((id): JaegerError => ({
    msg: 'trace not found',
    traceID: formatJaegerTraceId(id),
  }));
  const end = [`${first ? begin : style.line(1)}]`];
  for (const name of ['total', 'limit', 'offset'])
    end.push(`,${style.line(1)}${style.name(name)}0`);
  end.push(`,${style.line(1)}${style.name('errors')}`);
  end.push(style.value(errors.length === 0 ? null : errors, 1));
  if (more.nextPage !== undefined) {
    end.push(`,${style.line(1)}${style.name('nextPage')}${style.value(more.nextPage)}`);
  }
  const warnings = more.warnings();
  if (warnings.length > 0) {
    end.push(`,${style.line(1)}${style.name('warnings')}${style.value(warnings, 1)}`);
  }
  end.push(`${style.line(0)}}`);
  yield end;
}
