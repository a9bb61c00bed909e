// SPDX-License-Identifier: Apache-2.0
import type { Attribute, AttributeValue } from '#model/attributes.ts';
import type { Span } from '#model/span.ts';
import type { JaegerBatch, JaegerSpan, Reference, Tag } from './jaeger-model.ts';

const KINDS = ['', 'internal', 'server', 'client', 'producer', 'consumer'];
const STATUSES = ['UNSET', 'OK', 'ERROR'];

/** What the spans of a batch are in OpenTelemetry's model, written down a second time and the slow way. */
export function expectedSpans(batch: JaegerBatch): Span[] {
  const service: Tag[] = batch.serviceName === '' ? [] : [['service.name', batch.serviceName]];
  const attributes = [...service, ...batch.processTags].map(attribute);
  const name = attributes.find(({ key }) => key === 'service.name')?.value;
  const resource = {
    present: true,
    serviceName: name?.type === 'string' ? name.value : '',
    attributes,
    droppedAttributesCount: 0,
    schemaUrl: '',
  };
  return batch.spans.map((span) => ({ ...expectedSpan(span), resource }));
}

function expectedSpan(span: JaegerSpan): Omit<Span, 'resource'> {
  const rest = [...span.tags];
  const take = (key: string, fits: (value: Tag[1]) => boolean): Tag[1] | undefined => {
    const index = rest.findIndex(([k, value]) => k === key && fits(value));
    return index < 0 ? undefined : rest.splice(index, 1)[0]![1];
  };
  const takeText = (key: string, known?: readonly string[]): string | undefined =>
    // Checked by the condition.
    take(key, (v) => typeof v === 'string' && (known?.includes(v) ?? true)) as string | undefined;
  const kind = KINDS.indexOf(takeText('span.kind', KINDS.slice(1)) ?? '');
  const isError = take('error', (value) => value === true) === true;
  const statusCode = takeText('otel.status_code', STATUSES);
  const httpMessage = text(span.tags, 'http.status_message');

  let status: Span['status'];
  const descriptionTag = takeText('otel.status_description');
  if (isError) status = { code: 2, message: descriptionTag ?? httpMessage ?? '' };
  else if (statusCode !== undefined) {
    status = { code: STATUSES.indexOf(statusCode), message: descriptionTag ?? '' };
  } else if (isHttpError(span.tags, kind)) status = { code: 2, message: httpMessage ?? '' };
  const isDescriptionUsed = isError || statusCode !== undefined;

  const traceState = takeText('w3c.tracestate') ?? '';
  const scopeName = takeText('otel.scope.name');
  const libraryName = takeText('otel.library.name');
  const scopeVersion = takeText('otel.scope.version');
  const libraryVersion = takeText('otel.library.version');
  const back: Tag[] = [];
  if (descriptionTag !== undefined && !isDescriptionUsed) {
    back.push(['otel.status_description', descriptionTag]);
  }
  const name = scopeName ?? libraryName;
  if (name === undefined) {
    if (scopeVersion !== undefined) back.push(['otel.scope.version', scopeVersion]);
    if (libraryVersion !== undefined) back.push(['otel.library.version', libraryVersion]);
  } else {
    if (scopeName !== undefined && libraryName !== undefined && libraryName !== scopeName) {
      back.push(['otel.library.name', libraryName]);
    }
    if (
      scopeVersion !== undefined &&
      libraryVersion !== undefined &&
      libraryVersion !== scopeVersion
    ) {
      back.push(['otel.library.version', libraryVersion]);
    }
  }
  if ((span.flags & ~1) !== 0) back.push(['jaeger.flags', BigInt(span.flags)]);

  const ofTrace = span.references.filter(({ traceId }) => traceId === span.traceId);
  const parent =
    span.parentSpanId ||
    (ofTrace.find(({ type }) => type === 'CHILD_OF') ?? ofTrace[0])?.spanId ||
    0n;
  const isParent = (ref: Reference): boolean =>
    ref.type === 'CHILD_OF' && ref.traceId === span.traceId && ref.spanId === parent;
  const start = span.startTime * 1000n;
  return {
    // Hex of the right length by its maker.
    traceId: hex(span.traceId, 32) as Span['traceId'],
    spanId: hex(span.spanId, 16) as Span['spanId'],
    parentSpanId: parent === 0n ? '' : (hex(parent, 16) as Span['spanId']),
    traceState,
    flags: span.flags & 1,
    name: span.operationName,
    kind,
    startTimeUnixNano: start,
    endTimeUnixNano: BigInt.asUintN(64, start + span.duration * 1000n),
    status,
    attributes: [...rest, ...back].map(attribute),
    droppedAttributesCount: 0,
    events: span.logs.map(({ timestamp, fields }) => {
      const index = fields.findIndex(([k, value]) => k === 'event' && typeof value === 'string');
      return {
        timeUnixNano: timestamp * 1000n,
        name: text(fields, 'event') ?? '',
        attributes: fields.filter((_, i) => i !== index).map(attribute),
        droppedAttributesCount: 0,
      };
    }),
    droppedEventsCount: 0,
    links: span.references
      .filter((ref) => !isParent(ref))
      .map(({ type, traceId, spanId }) => ({
        traceId: hex(traceId, 32),
        spanId: hex(spanId, 16),
        traceState: '',
        flags: 0,
        attributes: [attribute(['opentracing.ref_type', type.toLowerCase()])],
        droppedAttributesCount: 0,
      })),
    droppedLinksCount: 0,
    scope: {
      present: name !== undefined,
      name: name ?? '',
      version: name === undefined ? '' : (scopeVersion ?? libraryVersion ?? ''),
      attributes: [],
      droppedAttributesCount: 0,
      schemaUrl: '',
    },
  };
}

/** Value of the first tag that is a text. */
function text(tags: readonly Tag[], key: string): string | undefined {
  for (const [k, value] of tags) if (k === key && typeof value === 'string') return value;
  return undefined;
}

function isHttpError(tags: readonly Tag[], kind: number): boolean {
  for (const [key, value] of tags) {
    if (key !== 'http.status_code') continue;
    const isCode =
      typeof value === 'bigint'
        ? value >= 0n && value < 65536n
        : typeof value === 'string' &&
          new TextEncoder().encode(value).length === 3 &&
          Number.isInteger(Number(value));
    if (!isCode) continue;
    const code = Number(value);
    return code >= 0 && !(code >= 100 && code < 400) && !(code >= 400 && code < 500 && kind === 2);
  }
  return false;
}

function attribute([key, value]: Tag): Attribute {
  return { key, value: attributeValue(value) };
}

function attributeValue(value: Tag[1]): AttributeValue {
  if (typeof value === 'string') return { type: 'string', value };
  if (typeof value === 'boolean') return { type: 'bool', value };
  if (typeof value === 'bigint') return { type: 'int', value };
  if (value instanceof Uint8Array) return { type: 'bytes', value };
  return { type: 'double', value: value.double };
}

function hex(id: bigint, digits: number): string {
  return id.toString(16).padStart(digits, '0');
}
