// SPDX-License-Identifier: Apache-2.0

/** Jaeger's words for `SpanKind`, by its number. */
const KIND_NAMES = ['unspecified', 'internal', 'server', 'client', 'producer', 'consumer'] as const;

/** Word for a kind, or undefined for unspecified and numbers without a word. */
export function formatSpanKind(kind: number): string | undefined {
  return kind === 0 ? undefined : KIND_NAMES[kind];
}

/** Number of a kind's word in any case, or undefined for another word. */
export function parseSpanKind(word: string): number | undefined {
  // A plain list of words, so that indexOf takes any text.
  const kind = (KIND_NAMES as readonly string[]).indexOf(word.toLowerCase());
  return kind < 0 ? undefined : kind;
}
