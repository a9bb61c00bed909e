// SPDX-License-Identifier: Apache-2.0
import type { HttpExchange } from '#net/http-exchange.ts';
import type { Refusal } from '#net/refusal.ts';

/**
 * Answers a request that was not taken with a line of text, as the protocols older than OTLP do.
 * @param text what is said; the refusal's message where it is left out
 */
export function refuseWithText(
  exchange: HttpExchange,
  refusal: Refusal,
  headers: readonly string[],
  text: string = refusal.message,
  status: number = refusal.httpStatus,
): void {
  const sent = [
    ...headers,
    'content-type',
    'text/plain; charset=utf-8',
    'x-content-type-options',
    'nosniff',
  ];
  if (refusal.retryAfterMs !== undefined) {
    sent.push('retry-after', String(Math.max(1, Math.ceil(refusal.retryAfterMs / 1000))));
  }
  exchange.answer(status, sent, `${text}\n`);
}
