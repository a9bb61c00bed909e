// SPDX-License-Identifier: Apache-2.0
import type { SpanColumns } from '#model/span-columns.ts';
import { SpanReader } from '#model/span-reader.ts';
import { encodeText } from '#model/utf8.ts';
import { otlpResource, otlpScope, otlpSpan, type OtlpJson } from './otlp-json.ts';

/**
 * Encodes rows as OTLP/JSON `TracesData` (`ExportTraceServiceRequest` has the same form). As in protobuf, rows that follow one
 * another with the same resource and scope share a `ResourceSpans` and a `ScopeSpans`.
 */
export class OtlpJsonEncoder {
  readonly #columns: SpanColumns;
  readonly #reader: SpanReader;

  constructor(columns: SpanColumns) {
    this.#columns = columns;
    this.#reader = new SpanReader(columns);
  }

  /** Some rows; ascending ones cost least. */
  encodeRows(rows: Uint32Array): Uint8Array {
    const { resource, scope } = this.#columns;
    const resourceSpans: (OtlpJson & { readonly scopeSpans: ScopeSpans[] })[] = [];
    let before = -1;
    for (const row of rows) {
      const span = this.#reader.read(row);
      const isSameResource = before >= 0 && resource[row] === resource[before];
      if (!isSameResource) resourceSpans.push({ ...otlpResource(span.resource), scopeSpans: [] });
      const { scopeSpans } = resourceSpans.at(-1)!;
      if (!isSameResource || scope[row] !== scope[before]) {
        scopeSpans.push({ ...otlpScope(span.scope), spans: [] });
      }
      scopeSpans.at(-1)!.spans.push(otlpSpan(span));
      before = row;
    }
    return encodeText(JSON.stringify({ resourceSpans }));
  }
}

type ScopeSpans = OtlpJson & { readonly spans: OtlpJson[] };
