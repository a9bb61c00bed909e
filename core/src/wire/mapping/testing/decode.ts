// SPDX-License-Identifier: Apache-2.0
import { BatchBuilder } from '#model/batch-builder.ts';
import { SpanReader } from '#model/span-reader.ts';
import type { Span } from '#model/span.ts';

/** What every decoder of spans can do. */
export interface Decoder {
  readonly accepted: number;
  readonly rejected: number;
  readonly rejectedMessage: string;
  begin(body: Uint8Array): void;
  decode(builder: BatchBuilder, maxSpans?: number): boolean;
}

/** Decodes a body in slices of `maxSpans`, each into a builder of its own. */
export function decodeSpans(decoder: Decoder, body: Uint8Array, maxSpans?: number): Span[] {
  const spans: Span[] = [];
  decoder.begin(body);
  for (let done = false; !done;) {
    const builder = new BatchBuilder(16);
    done = decoder.decode(builder, maxSpans);
    const batch = builder.finish();
    const reader = new SpanReader(batch);
    for (let row = 0; row < batch.rows; row++) spans.push(reader.read(row));
  }
  return spans;
}
