// SPDX-License-Identifier: Apache-2.0
import { buildTraceTree, type TraceTree } from '@spoor/core/analysis/trace-tree.ts';
import type { Attribute, AttributeValue } from '@spoor/core/model/attributes.ts';
import { formatHex, type Tenant } from '@spoor/core/model/ids.ts';
import { SpanKind, StatusCode, type Span } from '@spoor/core/model/span.ts';
import type { SpanBatch } from '@spoor/core/model/span-batch.ts';
import { SpanReader } from '@spoor/core/model/span-reader.ts';

/**
 * How much is said of a batch. `basic`: one line; `normal`: the tree of each trace, a line a span; `detailed`: attributes,
 * events and links as well.
 */
export type Verbosity = 'basic' | 'normal' | 'detailed';

/** Longest text of a name or value: a line stays readable. */
const MAX_TEXT = 200;

/** Deepest indent: a chain of thousands of spans would be a triangle of blanks. */
const MAX_INDENT = 40;

/** Lines that say what is in a batch, made one by one as they are asked for. */
export function* batchLines(
  tenant: Tenant,
  batch: SpanBatch,
  verbosity: Verbosity,
): Generator<string> {
  const traces = rowsByTrace(batch);
  yield `traces: tenant ${tenant}, ${count(batch.rows, 'span')} of ${count(traces.size, 'trace')}, ${count(batch.resources.count, 'resource')}`;
  if (verbosity === 'basic') return;
  const reader = new SpanReader(batch);
  for (const [traceId, rows] of traces) {
    yield* traceLines(
      traceId,
      rows.map((row) => reader.read(row)),
      verbosity === 'detailed',
    );
  }
}

function rowsByTrace(batch: SpanBatch): Map<string, number[]> {
  const traces = new Map<string, number[]>();
  for (let row = 0; row < batch.rows; row++) {
    const id = formatHex(batch.traceId, row * 16, row * 16 + 16);
    const rows = traces.get(id);
    if (rows === undefined) traces.set(id, [row]);
    else rows.push(row);
  }
  return traces;
}

function* traceLines(
  traceId: string,
  spans: readonly Span[],
  detailed: boolean,
): Generator<string> {
  const firstNs = spans.reduce(
    (least, { startTimeUnixNano: start }) => (start < least ? start : least),
    spans[0]!.startTimeUnixNano,
  );
  const sinceUs = spans.map((span) => Number(span.startTimeUnixNano - firstNs) / 1000);
  const durationUs = spans.map(
    (span) => Number(span.endTimeUnixNano - span.startTimeUnixNano) / 1000,
  );
  const tree = buildTraceTree({
    spanIds: spans.map(({ spanId }) => spanId),
    parentSpanIds: spans.map(({ parentSpanId }) => parentSpanId),
    start: sinceUs,
    duration: durationUs,
  });
  yield `trace ${traceId}: ${count(spans.length, 'span')}, from ${isoTime(firstNs)}`;
  for (const row of tree.order) {
    const span = spans[row]!;
    const stem = stemOf(tree, row);
    yield `${stem.own}${spanText(span, sinceUs[row]!, durationUs[row]!)}`;
    if (!detailed) continue;
    for (const line of detailLines(span)) yield `${stem.below}${line}`;
  }
}

/** What stands before the line of a span, and before lines about it. */
function stemOf(tree: TraceTree, row: number): { own: string; below: string } {
  let stem = '';
  for (let at = row; at >= 0 && stem.length < MAX_INDENT; at = tree.parent[at]!) {
    const last = isLast(tree, at);
    if (at === row) stem = last ? '└─ ' : '├─ ';
    else stem = `${last ? '   ' : '│  '}${stem}`;
  }
  const hasChildren = tree.childOffsets[row + 1]! > tree.childOffsets[row]!;
  const trunk = `${stem.slice(0, -3)}${isLast(tree, row) ? '   ' : '│  '}`;
  return { own: stem, below: `${trunk}${hasChildren ? '│' : ' '}    ` };
}

function isLast(tree: TraceTree, row: number): boolean {
  const parent = tree.parent[row]!;
  if (parent < 0) return tree.roots.at(-1) === row;
  return tree.children[tree.childOffsets[parent + 1]! - 1] === row;
}

function spanText(span: Span, sinceUs: number, durationUs: number): string {
  const { status, resource, parentSpanId } = span;
  const parts = [
    `${shown(resource.serviceName || '(no service)')}: ${shown(span.name || '(no name)')}`,
    `[${KIND_NAMES[span.kind] ?? `kind ${span.kind}`}]`,
    `+${duration(sinceUs)}`,
    duration(durationUs),
    span.spanId,
  ];
  if (parentSpanId !== '') parts.push(`parent ${parentSpanId}`);
  if (status !== undefined && status.code !== StatusCode.unset) {
    const name = STATUS_NAMES[status.code] ?? `status ${status.code}`;
    parts.push(status.message === '' ? name : `${name}: ${shown(status.message)}`);
  }
  return parts.join('  ');
}

function* detailLines(span: Span): Generator<string> {
  const { resource, scope } = span;
  yield* attributeLines('resource ', resource.attributes);
  if (scope.name !== '') yield `scope ${shown(`${scope.name} ${scope.version}`.trim())}`;
  yield* attributeLines('', span.attributes);
  if (span.traceState !== '') yield `trace state ${shown(span.traceState)}`;
  for (const event of span.events) {
    const afterUs = Number(event.timeUnixNano - span.startTimeUnixNano) / 1000;
    yield `event ${shown(event.name)} +${duration(afterUs)}`;
    yield* attributeLines('  ', event.attributes);
  }
  for (const link of span.links) {
    yield `link to ${link.traceId || '(no trace)'} ${link.spanId || '(no span)'}`;
    yield* attributeLines('  ', link.attributes);
  }
  const dropped = span.droppedAttributesCount + span.droppedEventsCount + span.droppedLinksCount;
  if (dropped > 0) yield `${dropped} attributes, events and links were dropped by the sender`;
}

function* attributeLines(before: string, attributes: readonly Attribute[]): Generator<string> {
  for (const { key, value } of attributes) yield `${before}${shown(key)} = ${valueText(value)}`;
}

function valueText(value: AttributeValue): string {
  switch (value.type) {
    case 'absent':
    case 'empty':
      return `(${value.type})`;
    case 'bytes':
      return `0x${formatHex(value.value.subarray(0, MAX_TEXT / 2))}${value.value.length > MAX_TEXT / 2 ? '…' : ''}`;
    case 'array':
      return shown(`[${value.value.map(valueText).join(', ')}]`);
    case 'kvlist':
      return shown(
        `{${value.value.map(({ key, value: one }) => `${key}: ${valueText(one)}`).join(', ')}}`,
      );
    default:
      return shown(String(value.value));
  }
}

/** A text from outside: cut, and with nothing in it that a terminal would obey. */
function shown(text: string): string {
  const cut = text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text;
  return cut.replaceAll(
    /[\p{Cc}\p{Cf}\u2028\u2029]/gu,
    (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`,
  );
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}

function duration(us: number): string {
  if (Math.abs(us) < 1000) return `${Number(us.toFixed(1))} µs`;
  if (Math.abs(us) < 1_000_000) return `${Number((us / 1000).toFixed(2))} ms`;
  return `${Number((us / 1_000_000).toFixed(2))} s`;
}

function isoTime(unixNano: bigint): string {
  return new Date(Number(unixNano / 1_000_000n)).toISOString();
}

const KIND_NAMES: Readonly<Record<number, string>> = namesOf(SpanKind);
const STATUS_NAMES: Readonly<Record<number, string>> = namesOf(StatusCode);

function namesOf(numbers: Readonly<Record<string, number>>): Record<number, string> {
  return Object.fromEntries(Object.entries(numbers).map(([name, number]) => [number, name]));
}
