// SPDX-License-Identifier: Apache-2.0
import { StatusCode } from '@spoor/core/model/span.ts';
import type { SpanPredicate } from '@spoor/core/query/trace-query.ts';
import { storedServices } from '@spoor/core/query/unnamed-service.ts';
import { parseSpanKind } from './span-kind.ts';

/** All of the predicates; of none, every span. */
export function allOf(args: readonly SpanPredicate[]): SpanPredicate {
  return args.length === 1 ? args[0]! : { op: 'and', args };
}

/** The span is of this service. */
export function serviceIs(service: string): SpanPredicate {
  const args = storedServices(service).map((stored) => textEquals('service', stored));
  return args.length === 1 ? args[0]! : { op: 'or', args };
}

/** The span has this name. */
export function nameIs(name: string): SpanPredicate {
  return textEquals('name', name);
}

function textEquals(name: 'service' | 'name', value: string): SpanPredicate {
  return { op: 'eq', field: { kind: 'intrinsic', name }, value: { type: 'string', value } };
}

/** The span's duration is at least (`ge`) or at most (`le`) so many ns. */
export function durationPredicate(op: 'ge' | 'le', nanos: bigint): SpanPredicate {
  return {
    op,
    field: { kind: 'intrinsic', name: 'duration' },
    value: { type: 'int', value: nanos },
  };
}

function numberEquals(name: 'kind' | 'status', value: number): SpanPredicate {
  return {
    op: 'eq',
    field: { kind: 'intrinsic', name },
    value: { type: 'int', value: BigInt(value) },
  };
}

function attributeEquals(key: string, value: string): SpanPredicate {
  return {
    op: 'eq',
    field: { kind: 'attribute', scope: 'any', key },
    value: { type: 'text', value },
  };
}

/**
 * What a tag of Jaeger's search means. The tags that Jaeger makes of span fields
 * (`error`, `span.kind`, `otel.status_code`) ask for those fields.
 */
export function tagPredicate(key: string, value: string): SpanPredicate {
  if (key === 'error' && (value === 'true' || value === 'false')) {
    const failed: SpanPredicate = {
      op: 'or',
      args: [numberEquals('status', StatusCode.error), attributeEquals('error', 'true')],
    };
    return value === 'true' ? failed : { op: 'not', arg: failed };
  }
  if (key === 'span.kind') {
    const kind = parseSpanKind(value);
    if (kind !== undefined) return numberEquals('kind', kind);
  }
  if (key === 'otel.status_code') {
    if (value === 'ERROR') return numberEquals('status', StatusCode.error);
    if (value === 'OK') return numberEquals('status', StatusCode.ok);
  }
  return attributeEquals(key, value);
}
