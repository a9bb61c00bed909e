// SPDX-License-Identifier: Apache-2.0
import type { SpanBatch } from '@spoor/core/model/span-batch.ts';
import { SpanReader } from '@spoor/core/model/span-reader.ts';
import {
  otlpResource,
  otlpScope,
  otlpSpan,
  type OtlpJson,
} from '@spoor/core/wire/otlp/otlp-json.ts';
import type { JsonStyle } from '#api/json-style.ts';

/**
 * Groups for which rows are read out of their order: each costs a walk over all rows (5 ms for
 * 100,000 spans). A trace with more is written as runs of neighbours.
 */
const MAX_GROUPS = 64;

/** Rows of one resource and scope, ascending. */
interface RowGroup {
  readonly resource: number;
  readonly scope: number;
  readonly rows: number[];
}

/**
 * The `resourceSpans` of one trace as OTLP JSON, without the brackets around them, in pieces of
 * about a span. Spans are grouped by resource, then scope, in the order of their first span.
 * @param batch all spans of the trace, at least one
 * @param depth of the entries in the answer
 */
export function* resourceSpansJson(
  batch: SpanBatch,
  style: JsonStyle,
  depth: number,
): Generator<string, void, undefined> {
  const reader = new SpanReader(batch);
  let resource = -1;
  for (const group of groupRows(batch)) {
    for (const [i, row] of group.rows.entries()) {
      const span = reader.read(row);
      if (i === 0) {
        const sameResource = group.resource === resource;
        if (!sameResource) {
          if (resource >= 0) yield closeResource(style, depth);
          yield style.next(resource < 0, depth);
          yield openObject(otlpResource(span.resource), style, depth);
          yield `${style.name('scopeSpans')}[`;
          resource = group.resource;
        }
        yield style.next(!sameResource, depth + 2);
        yield openObject(otlpScope(span.scope), style, depth + 2);
        yield `${style.name('spans')}[`;
      }
      yield style.next(i === 0, depth + 4) + style.value(otlpSpan(span), depth + 4);
    }
    yield `${style.line(depth + 3)}]${style.line(depth + 2)}}`;
  }
  yield closeResource(style, depth);
}

function closeResource(style: JsonStyle, depth: number): string {
  return `${style.line(depth + 1)}]${style.line(depth)}}`;
}

/** Groups of one resource stand together. */
function groupRows(batch: SpanBatch): RowGroup[] {
  const resources = new Map<number, Map<number, RowGroup>>();
  const runs: RowGroup[] = [];
  let groups = 0;
  for (let row = 0; row < batch.rows; row++) {
    const resource = batch.resource[row]!;
    const scope = batch.scope[row]!;
    const run = runs.at(-1);
    if (run?.resource === resource && run.scope === scope) run.rows.push(row);
    else runs.push({ resource, scope, rows: [row] });
    if (groups > MAX_GROUPS) continue;

    let scopes = resources.get(resource);
    if (scopes === undefined) resources.set(resource, (scopes = new Map<number, RowGroup>()));
    const group = scopes.get(scope);
    if (group === undefined) {
      groups++;
      scopes.set(scope, { resource, scope, rows: [row] });
    } else {
      group.rows.push(row);
    }
  }
  return groups > MAX_GROUPS
    ? runs
    : [...resources.values()].flatMap((scopes) => [...scopes.values()]);
}

/** `{` and the members, so that one more can follow. */
function openObject(members: OtlpJson, style: JsonStyle, depth: number): string {
  const written = Object.entries(members).map(
    ([name, value]) =>
      `${style.line(depth + 1)}${style.name(name)}${style.value(value, depth + 1)},`,
  );
  return `{${written.join('')}${style.line(depth + 1)}`;
}
