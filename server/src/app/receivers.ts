// SPDX-License-Identifier: Apache-2.0
import { DEFAULT_TENANT, parseTenant, type Tenant } from '@spoor/core/model/ids.ts';
import type { SpoorConfig } from '#config/config.ts';
import { readEndpoint } from '#config/endpoint.ts';
import type { GrpcReceiver } from '#receivers/grpc-receiver.ts';
import type { HttpReceiver } from '#receivers/http-receiver.ts';
import type { ReceiverParts } from '#receivers/intake.ts';
import type { ClientReports } from '#receivers/jaeger/client-reports.ts';
import { createJaegerGrpcReceiver } from '#receivers/jaeger/jaeger-grpc-receiver.ts';
import { createThriftHttpReceiver } from '#receivers/jaeger/thrift-http-receiver.ts';
import { UdpReceiver } from '#receivers/jaeger/udp-receiver.ts';
import { createOtlpGrpcReceiver } from '#receivers/otlp/otlp-grpc-receiver.ts';
import { createOtlpHttpReceiver } from '#receivers/otlp/otlp-http-receiver.ts';
import { createZipkinHttpReceiver } from '#receivers/zipkin/zipkin-http-receiver.ts';
import type { ReceiverFigures } from '#receivers/receiver-counters.ts';
import type { IngestFormat } from '#pipeline/trace-ingest.ts';
import type { StrategiesSource } from '#sampling/strategies-source.ts';
import type { ReceiverMetrics } from '#telemetry/metrics.ts';
import type { Listener } from './components.ts';
import { grpcSettings, httpSettings, otlpHttpSettings, udpSettings } from './receiver-settings.ts';

/** A receiver on its port, with what it has counted. */
export interface ReceiverPart extends Listener {
  readonly metrics: () => ReceiverMetrics;
}

/** What all kinds of receivers can do. */
type AnyReceiver = HttpReceiver | GrpcReceiver | UdpReceiver;

/** Where a receiver is in the configuration, and how its metrics are labelled. */
interface ReceiverPlace {
  readonly path: string;
  readonly receiver: string;
  readonly transport: string;
}

/** The receivers that are switched on. */
export function createReceivers(
  config: SpoorConfig,
  parts: ReceiverParts,
  clientReports: ClientReports,
  strategies: StrategiesSource,
): ReceiverPart[] {
  const { otlp, jaeger, zipkin } = config.receivers;
  const receivers: ReceiverPart[] = [];
  const add = (
    place: ReceiverPlace,
    section: { readonly enabled: boolean; readonly endpoint: string },
    create: () => AnyReceiver,
  ): void => {
    if (section.enabled) receivers.push(receiverPart(place, section.endpoint, create()));
  };
  const { grpc, http } = otlp.protocols;
  const otlpPlace = (transport: string): ReceiverPlace => ({
    path: `receivers.otlp.protocols.${transport}`,
    receiver: 'otlp',
    transport,
  });
  add(otlpPlace('grpc'), grpc, () => createOtlpGrpcReceiver(grpcSettings(grpc), parts));
  add(otlpPlace('http'), http, () => createOtlpHttpReceiver(otlpHttpSettings(http), parts));

  const { grpc: jaegerGrpc, thrift_http: thriftHttp } = jaeger.protocols;
  const jaegerPath = 'receivers.jaeger.protocols';
  add({ path: `${jaegerPath}.grpc`, receiver: 'jaeger', transport: 'grpc' }, jaegerGrpc, () =>
    createJaegerGrpcReceiver(grpcSettings(jaegerGrpc), parts, strategies),
  );
  add(
    { path: `${jaegerPath}.thrift_http`, receiver: 'jaeger', transport: 'http' },
    thriftHttp,
    () => createThriftHttpReceiver(httpSettings(thriftHttp), parts, strategies),
  );
  for (const [name, format] of UDP_FORMATS) {
    const section = jaeger.protocols[name];
    const path = `${jaegerPath}.${name}`;
    const tenant = udpTenant(config, section.tenant);
    add(
      { path, receiver: 'jaeger', transport: `udp_${name}` },
      section,
      () =>
        new UdpReceiver(udpSettings(section), { ...parts, path, format, tenant, clientReports }),
    );
  }
  add({ path: 'receivers.zipkin', receiver: 'zipkin', transport: 'http' }, zipkin, () =>
    createZipkinHttpReceiver(httpSettings(zipkin), parts),
  );
  return receivers;
}

const UDP_FORMATS = [
  ['thrift_compact', 'jaeger_agent_compact'],
  ['thrift_binary', 'jaeger_agent_binary'],
  ['zipkin_compact', 'jaeger_agent_compact'],
] as const satisfies readonly (readonly [string, IngestFormat])[];

function udpTenant(config: SpoorConfig, name: string): Tenant | undefined {
  if (!config.tenancy.enabled) return DEFAULT_TENANT;
  return name === '' ? undefined : parseTenant(name);
}

function receiverPart(place: ReceiverPlace, endpoint: string, receiver: AnyReceiver): ReceiverPart {
  const { path, receiver: kind, transport } = place;
  return {
    name: `${kind}_${transport}`,
    path,
    http: transport === 'http',
    endpoint: readEndpoint(endpoint),
    get address() {
      return receiver.address;
    },
    start: () => receiver.start(),
    shutdown: (deadlineMs) => receiver.shutdown(deadlineMs),
    metrics: () => ({
      receiver: kind,
      transport,
      ...sumFormats(receiver.figures),
      ...(receiver instanceof UdpReceiver
        ? { packets: { queued: receiver.queuedPackets, kernelDrops: receiver.kernelDrops } }
        : { connections: receiver.connections }),
    }),
  };
}

function sumFormats(
  figures: ReceiverFigures,
): Omit<ReceiverMetrics, 'receiver' | 'transport' | 'connections' | 'packets'> {
  const formats = Object.values(figures);
  const sum = (read: (format: (typeof formats)[number]) => number): number =>
    formats.reduce((total, format) => total + read(format), 0);
  const refused = new Map<string, number>();
  for (const { refusedRequests } of formats) {
    for (const [reason, count] of Object.entries(refusedRequests)) {
      refused.set(reason, (refused.get(reason) ?? 0) + count);
    }
  }
  return {
    acceptedSpans: sum((format) => format.acceptedSpans),
    refusedSpans: sum((format) => format.rejectedSpans),
    requests: sum((format) => format.requests),
    refusedRequests: refused,
    wireBytes: sum((format) => format.wireBytes),
    bodyBytes: sum((format) => format.bodyBytes),
  };
}
