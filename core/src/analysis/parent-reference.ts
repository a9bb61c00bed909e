// SPDX-License-Identifier: Apache-2.0

/**
 * Which of a span's references in Jaeger's shape names its parent: the first CHILD_OF, or else the first other one, as when a client
 * says that it does not wait for the span.
 * @param own those into the span's own trace
 */
export function parentAmong<Reference extends { readonly refType: string }>(
  own: readonly Reference[],
): Reference | undefined {
  return own.find(({ refType }) => refType === 'CHILD_OF') ?? own[0];
}
