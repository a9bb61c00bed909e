// SPDX-License-Identifier: Apache-2.0
import { compareCodePoints } from '@spoor/core/query/code-point-order.ts';
import type { JaegerKeyValue } from './jaeger-key-value.ts';
import type { JaegerProcess, JaegerReference, JaegerSpan } from './jaeger-span.ts';

/** Tags in which old clients send an IPv4 address as a number. */
const ADDRESS_KEYS: readonly string[] = ['ip', 'peer.ipv4'];

/** Order of `ValueType` in Jaeger's model. */
export const TYPE_ORDER: readonly JaegerKeyValue['type'][] = [
  'string',
  'bool',
  'int64',
  'float64',
  'binary',
];

/**
 * What Jaeger's query service does to a span before it shows it, unless `raw` is asked for: tags and fields are sorted by key,
 * with the event's name first, addresses are readable, and the parent, or what stands for it, is the first reference.
 */
export function adjustSpan(span: JaegerSpan): JaegerSpan {
  return {
    ...span,
    references: parentFirst(span.references, span.traceID),
    tags: adjustTags(span.tags),
    logs: span.logs.map((log) => {
      const name = log.fields.find(({ key, type }) => key === 'event' && type === 'string');
      const rest = sortByKey(log.fields.filter((field) => field !== name));
      return { ...log, fields: name === undefined ? rest : [name, ...rest] };
    }),
  };
}

/** The same of a process. */
export function adjustProcess(process: JaegerProcess): JaegerProcess {
  return { ...process, tags: adjustTags(process.tags) };
}

function adjustTags(tags: readonly JaegerKeyValue[]): JaegerKeyValue[] {
  return sortByKey(tags.map(withReadableAddress));
}

/** Tags of one key are sorted by type. */
function sortByKey(tags: readonly JaegerKeyValue[]): JaegerKeyValue[] {
  return tags.toSorted(
    (a, b) =>
      compareCodePoints(a.key, b.key) || TYPE_ORDER.indexOf(a.type) - TYPE_ORDER.indexOf(b.type),
  );
}

/** Whether a number under this key is shown as an IPv4 address. */
export function mayBeAddress(key: string): boolean {
  return ADDRESS_KEYS.includes(key);
}

function withReadableAddress(tag: JaegerKeyValue): JaegerKeyValue {
  const { key, value } = tag;
  if (typeof value !== 'number' || !mayBeAddress(key)) return tag;
  const bytes = [24, 16, 8, 0].map((shift) => (value >>> shift) & 255);
  return { key, type: 'string', value: bytes.join('.') };
}

/** Of the references into the trace, the first CHILD_OF, or else the first, changes places with what stands first. */
function parentFirst(
  references: readonly JaegerReference[],
  traceId: string,
): readonly JaegerReference[] {
  const isOwn = ({ traceID }: JaegerReference): boolean => traceID === traceId;
  let parent = references.findIndex((one) => isOwn(one) && one.refType === 'CHILD_OF');
  if (parent < 0) parent = references.findIndex(isOwn);
  if (parent <= 0) return references;
  return references.with(0, references[parent]!).with(parent, references[0]!);
}
