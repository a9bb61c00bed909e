// SPDX-License-Identifier: Apache-2.0
import { JsonFields } from '#wire/otlp/json-fields.ts';

/** What keys of attributes of resources begin with, up to the first point. */
const NAMESPACES = new JsonFields({
  service: 1,
  telemetry: 1,
  host: 1,
  os: 1,
  process: 1,
  container: 1,
  k8s: 1,
  cloud: 1,
  deployment: 1,
  faas: 1,
  device: 1,
  webengine: 1,
});

/**
 * Whether a tag belongs to the resource. Zipkin has none, so exporters of OpenTelemetry put its attributes among the
 * tags of each span.
 */
export function isResourceKey(bytes: Uint8Array, start: number, end: number): boolean {
  let point = start;
  while (point < end && bytes[point] !== POINT) point++;
  return point < end && NAMESPACES.find(bytes, start, point) !== 0;
}

const POINT = 0x2e;
