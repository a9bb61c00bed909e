// SPDX-License-Identifier: Apache-2.0
import type { AttributeValue } from '#model/attributes.ts';

/**
 * What formats without a field for it say of a count of things dropped: an attribute, where there are any.
 * @see https://opentelemetry.io/docs/specs/otel/common/mapping-to-non-otlp/#dropped-attributes-count
 */
export function droppedCounts(
  what: 'attributes' | 'events' | 'links',
  count: number,
): { readonly key: string; readonly value: Extract<AttributeValue, { type: 'int' }> }[] {
  if (count === 0) return [];
  return [{ key: `otel.dropped_${what}_count`, value: { type: 'int', value: BigInt(count) } }];
}
