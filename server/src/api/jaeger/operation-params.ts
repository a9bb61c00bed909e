// SPDX-License-Identifier: Apache-2.0
import { SpoorError, quote } from '@spoor/core/model/errors.ts';
import { refuseMisspelled, type RouteParams } from './misspelled-params.ts';
import { parseSpanKind } from './span-kind.ts';

const PARAMS: RouteParams = { names: ['service', 'spanKind', 'span_kind'] };

/** Which operations are asked for. */
export interface OperationFilter {
  readonly service: string;
  /** `SpanKind`, or undefined for all. */
  readonly kind: number | undefined;
}

/**
 * Reads `service` and `spanKind` (`span_kind` to old clients).
 * @throws {SpoorError} invalid_argument
 */
export function parseOperationParams(params: URLSearchParams): OperationFilter {
  refuseMisspelled(params, PARAMS);
  const service = params.get('service') ?? '';
  if (service === '') throw new SpoorError('invalid_argument', `parameter 'service' is required`);
  const word = params.get('spanKind') || params.get('span_kind') || '';
  const kind = parseSpanKind(word);
  if (word !== '' && kind === undefined) {
    throw new SpoorError(
      'invalid_argument',
      `unable to parse param 'spanKind': ${quote(word)} is not one of unspecified, internal, server, client, producer, consumer`,
    );
  }
  return { service, kind };
}

/** Whether operations of a kind are asked for. */
export function matchesKind(filter: OperationFilter, kind: number): boolean {
  return filter.kind === undefined || filter.kind === kind;
}
