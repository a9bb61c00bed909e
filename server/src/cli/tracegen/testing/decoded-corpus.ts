// SPDX-License-Identifier: Apache-2.0
import { fromBinary, toJson } from '@bufbuild/protobuf';
import { EXPORT_REQUEST } from '@spoor/core/wire/otlp/testing/otlp-descriptors.ts';
import type { CorpusRequest } from '../corpus.ts';

/** An attribute as ProtoJSON has it; values are looked at by few tests only. */
interface JsonAttribute {
  readonly key?: string;
  readonly value?: Readonly<Record<string, unknown>>;
}

/** A span as ProtoJSON of the official protobuf library has it. Defaults are left out. */
interface JsonSpan {
  /** Base64. */
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name?: string;
  readonly kind?: string | number;
  readonly startTimeUnixNano?: string;
  readonly endTimeUnixNano?: string;
  readonly attributes?: readonly JsonAttribute[];
  readonly events?: readonly {
    readonly name?: string;
    readonly attributes?: readonly JsonAttribute[];
  }[];
  readonly links?: readonly unknown[];
  readonly status?: { readonly code?: string };
}

/** A span with what stands around it. */
export interface DecodedSpan {
  readonly tenant: string;
  /** Index of its request. */
  readonly request: number;
  readonly serviceName: string;
  readonly resource: readonly JsonAttribute[];
  readonly span: JsonSpan;
  /** Equal for copies of a span, and for nothing else. */
  readonly identity: string;
}

interface JsonRequest {
  readonly resourceSpans: readonly {
    readonly resource?: { readonly attributes?: readonly JsonAttribute[] };
    readonly schemaUrl?: string;
    readonly scopeSpans: readonly {
      readonly scope?: unknown;
      readonly schemaUrl?: string;
      readonly spans: readonly JsonSpan[];
    }[];
  }[];
}

/** All spans of some requests, decoded by the official protobuf library. */
export function decodeCorpus(requests: Iterable<CorpusRequest>): DecodedSpan[] {
  const decoded: DecodedSpan[] = [];
  let request = 0;
  for (const { body, tenant } of requests) {
    // The shape is the schema's, which the library has checked.
    const json = toJson(EXPORT_REQUEST, fromBinary(EXPORT_REQUEST, body)) as unknown as JsonRequest;
    for (const { resource, schemaUrl, scopeSpans } of json.resourceSpans) {
      const attributes = resource?.attributes ?? [];
      const name = attributes.find(({ key }) => key === 'service.name')?.value?.['stringValue'];
      for (const { spans, ...scope } of scopeSpans) {
        for (const span of spans) {
          decoded.push({
            tenant,
            request,
            serviceName: typeof name === 'string' ? name : '',
            resource: attributes,
            span,
            identity: JSON.stringify([tenant, resource, schemaUrl, scope, span]),
          });
        }
      }
    }
    request++;
  }
  return decoded;
}
