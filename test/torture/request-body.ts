// SPDX-License-Identifier: Apache-2.0
import {
  AttributeTag,
  attributeKey,
  encodeAttribute,
  writeAscii,
  writeInt,
  writeTime,
} from '../../server/src/cli/tracegen/attribute-writer.ts';
import { BodyWriter } from '../../server/src/cli/tracegen/body-writer.ts';
import type { PlannedRequest, PlannedSpan, SpanPlan } from './span-plan.ts';

/** Attributes of every span; the checker reads them back. */
export const PAYLOAD_KEY = 'torture.payload';
/** See {@link PAYLOAD_KEY}. */
export const CHECKSUM_KEY = 'torture.checksum';
const REQUEST_KEY = 'torture.request';
/** Name of their events. */
export const EVENT_NAME = 'torture event';

const keys = {
  payload: attributeKey(PAYLOAD_KEY),
  checksum: attributeKey(CHECKSUM_KEY),
  request: attributeKey(REQUEST_KEY),
};

/** Encodes a request as an `ExportTraceServiceRequest`. The same request gives the same bytes. */
export function encodeRequest(plan: SpanPlan, request: PlannedRequest): Buffer {
  const writer = new BodyWriter(1024 + request.spans * (320 + request.payloadLength));
  let service = '';
  let resourceSpans = 0;
  let scopeSpans = 0;
  for (let i = 0; i < request.spans; i++) {
    const span = plan.span(request, i);
    if (span.serviceName !== service) {
      if (service !== '') {
        writer.end(scopeSpans);
        writer.end(resourceSpans);
      }
      service = span.serviceName;
      resourceSpans = writer.begin(0x0a);
      const resource = encodeAttribute(AttributeTag.resource, 'service.name', service);
      writer.field(0x0a, resource);
      scopeSpans = writer.begin(0x12);
    }
    writeSpan(writer, span, request.number);
  }
  writer.end(scopeSpans);
  writer.end(resourceSpans);
  return writer.copy();
}

function writeSpan(writer: BodyWriter, span: PlannedSpan, requestNumber: number): void {
  writer.reserve(400 + span.name.length + span.payload.length);
  const start = writer.begin(0x12);
  writer.field(0x0a, Buffer.from(span.traceId, 'hex'));
  writer.field(0x12, Buffer.from(span.spanId, 'hex'));
  if (span.parentSpanId !== '') writer.field(0x22, Buffer.from(span.parentSpanId, 'hex'));
  writer.text(0x2a, span.name);
  writer.reserve(320 + span.payload.length);
  writer.byte(0x30);
  writer.varint(span.kind);
  const startLo = Number(span.startTimeUnixNano & 0xffffffffn);
  const startHi = Number(span.startTimeUnixNano >> 32n);
  writeTime(writer, 0x39, startLo, startHi, 0);
  writeTime(writer, 0x41, startLo, startHi, span.durationNanos);
  writeInt(writer, AttributeTag.span, keys.request, requestNumber);
  writeAscii(writer, AttributeTag.span, keys.payload, span.payload);
  writeAscii(writer, AttributeTag.span, keys.checksum, span.checksum);
  if (span.hasEvent) {
    const event = writer.begin(0x5a);
    writeTime(writer, 0x09, startLo, startHi, Math.floor(span.durationNanos / 2));
    writer.text(0x12, EVENT_NAME);
    writer.end(event);
  }
  if (span.isError) {
    const status = writer.begin(0x7a);
    writer.byte(0x18);
    writer.varint(2);
    writer.end(status);
  }
  writer.end(start);
}
