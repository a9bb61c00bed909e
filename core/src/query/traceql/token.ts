// SPDX-License-Identifier: Apache-2.0
import type { TraceqlScope, TraceqlValue } from './traceql-query.ts';

/**
 * A piece of a TraceQL query. `text` is as it was written, `at` where it begins, in UTF-16 units.
 *
 * - `sign`: an operator or a bracket.
 * - `word`: `name`, `span:name`, `error`, `nil`, …
 * - `attribute`: a scope and a key; `parent` is there to be refused.
 * - `value`: a text, number or duration, without its minus.
 */
export type Token = { readonly text: string; readonly at: number } & (
  | { readonly kind: 'sign' | 'word' | 'end' }
  | { readonly kind: 'attribute'; readonly scope: TraceqlScope | 'parent'; readonly key: string }
  | { readonly kind: 'value'; readonly value: TraceqlValue }
);
