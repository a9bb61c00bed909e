// SPDX-License-Identifier: Apache-2.0
import { DEFAULT_TENANT, parseTenant, type Tenant } from '@spoor/core/model/ids.ts';
import type { RECEIVER_SCHEMAS } from '#config/component-schemas.ts';
import { readEndpoint } from '#config/endpoint.ts';
import { KafkaReceiver } from '#kafka/kafka-receiver.ts';
import { GuestPort } from '#net/guest-port.ts';
import type { Tenancy } from '#net/tenancy.ts';
import type { GrpcReceiver } from '#receivers/grpc-receiver.ts';
import type { HttpReceiver } from '#receivers/http-receiver.ts';
import type { ReceiverParts } from '#receivers/intake.ts';
import type { ClientReports } from '#receivers/jaeger/client-reports.ts';
import { createJaegerGrpcReceiver } from '#receivers/jaeger/jaeger-grpc-receiver.ts';
import { createThriftHttpReceiver } from '#receivers/jaeger/thrift-http-receiver.ts';
import { UdpReceiver } from '#receivers/jaeger/udp-receiver.ts';
import { createOtlpGrpcReceiver } from '#receivers/otlp/otlp-grpc-receiver.ts';
import { createOtlpHttpReceiver } from '#receivers/otlp/otlp-http-receiver.ts';
import { createZipkinGrpcReceiver } from '#receivers/zipkin/zipkin-grpc-receiver.ts';
import { createZipkinHttpReceiver } from '#receivers/zipkin/zipkin-http-receiver.ts';
import type { ReceiverFigures } from '#receivers/receiver-counters.ts';
import type { IngestFormat } from '#pipeline/trace-ingest.ts';
import type { StrategiesSource } from '#sampling/strategies-source.ts';
import type { ReceiverMetrics } from '#telemetry/metrics.ts';
import type { ComponentTable } from './component-table.ts';
import { kafkaReceiverSettings } from './kafka-settings.ts';
import { listenerOf, type Listener, type Part } from './part.ts';
import { grpcSettings, httpSettings, otlpHttpSettings, udpSettings } from './receiver-settings.ts';

/** A receiver, most of them on a port, with what it has counted. */
export type ReceiverPart = (Part | Listener) & { readonly metrics: () => ReceiverMetrics };

/** What receivers are made with. */
export interface ReceiverContext extends ReceiverParts {
  readonly clientReports: ClientReports;
  readonly strategies: StrategiesSource;
}

/** The receivers there are; one has a part for each protocol that is switched on. */
export const RECEIVERS: ComponentTable<typeof RECEIVER_SCHEMAS, ReceiverContext, ReceiverPart[]> = {
  otlp: (id, { protocols: { grpc, http } }, context) => [
    ...served({ id, protocol: 'grpc', transport: 'grpc' }, grpc, (section, path) =>
      createOtlpGrpcReceiver(grpcSettings(section), { ...context, path }),
    ),
    ...served({ id, protocol: 'http', transport: 'http' }, http, (section, path) =>
      createOtlpHttpReceiver(otlpHttpSettings(section), { ...context, path }),
    ),
  ],
  jaeger: (id, { protocols }, context) => [
    ...served({ id, protocol: 'grpc', transport: 'grpc' }, protocols.grpc, (section, path) =>
      createJaegerGrpcReceiver(grpcSettings(section), { ...context, path }, context.strategies),
    ),
    ...served(
      { id, protocol: 'thrift_http', transport: 'http' },
      protocols.thrift_http,
      (section, path) =>
        createThriftHttpReceiver(httpSettings(section), { ...context, path }, context.strategies),
    ),
    ...UDP_FORMATS.flatMap(([protocol, format]) => {
      const place = { id, protocol, transport: `udp_${protocol}` };
      return served(place, protocols[protocol], (section, path) => {
        const tenant = udpTenant(context.tenancy, section.tenant);
        const parts = { ...context, path, format, tenant };
        return new UdpReceiver(udpSettings(section), parts);
      });
    }),
  ],
  zipkin: (id, settings, context) => {
    const path = `receivers.${id}`;
    const parts = { ...context, path };
    const port = new GuestPort(path);
    const http = served({ id, transport: 'http' }, settings, (section) =>
      createZipkinHttpReceiver(httpSettings(section), parts, port),
    );
    if (http.length === 0) return [];
    // gRPC is on the same port, so it is no listener of its own; it begins before there are connections.
    const grpc = createZipkinGrpcReceiver(httpSettings(settings), parts, port);
    const metrics = (): ReceiverMetrics => metricsOf(id, 'grpc', grpc);
    return [
      {
        path,
        start: () => grpc.start(),
        shutdown: (deadlineMs) => grpc.shutdown(deadlineMs),
        metrics,
      },
      ...http,
    ];
  },
  kafka: (id, settings, context) => {
    const path = `receivers.${id}`;
    const receiver = new KafkaReceiver(kafkaReceiverSettings(path, settings), context);
    return [
      {
        path,
        start: () => receiver.start(),
        shutdown: (deadlineMs) => receiver.shutdown(deadlineMs),
        metrics: () => ({
          receiver: id,
          transport: 'kafka',
          ...sumFormats(receiver.figures),
          kafka: receiver.kafkaFigures,
        }),
      },
    ];
  },
};

const UDP_FORMATS = [
  ['thrift_compact', 'jaeger_agent_compact'],
  ['thrift_binary', 'jaeger_agent_binary'],
  ['zipkin_compact', 'jaeger_agent_compact'],
] as const satisfies readonly (readonly [string, IngestFormat])[];

function udpTenant(tenancy: Tenancy, name: string): Tenant | undefined {
  if (tenancy.header === undefined) return DEFAULT_TENANT;
  return name === '' ? undefined : parseTenant(name);
}

/** What all kinds of receivers on a port can do. */
type AnyReceiver = HttpReceiver | GrpcReceiver | UdpReceiver;

/** Where a receiver is in the configuration, and how its metrics are labelled. */
interface ReceiverPlace {
  readonly id: string;
  /** Undefined where there is but one. */
  readonly protocol?: string;
  readonly transport: string;
}

function pathOf({ id, protocol }: ReceiverPlace): string {
  return protocol === undefined ? `receivers.${id}` : `receivers.${id}.protocols.${protocol}`;
}

/** The receiver of a protocol, or nothing when it is not there or switched off. */
function served<Section extends { readonly enabled: boolean; readonly endpoint: string }>(
  place: ReceiverPlace,
  section: Section | undefined,
  create: (section: Section, path: string) => AnyReceiver,
): ReceiverPart[] {
  if (section === undefined || !section.enabled) return [];
  const { id, transport } = place;
  const path = pathOf(place);
  const receiver = create(section, path);
  const name = `${id}_${transport}`;
  const endpoint = readEndpoint(section.endpoint);
  const listener = listenerOf({ name, path, http: transport === 'http', endpoint }, receiver);
  const metrics = (): ReceiverMetrics => metricsOf(id, transport, receiver);
  return [Object.assign(listener, { metrics })];
}

function metricsOf(id: string, transport: string, receiver: AnyReceiver): ReceiverMetrics {
  return {
    receiver: id,
    transport,
    ...sumFormats(receiver.figures),
    ...(receiver instanceof UdpReceiver
      ? { packets: { queued: receiver.queuedPackets, kernelDrops: receiver.kernelDrops } }
      : { connections: receiver.connections }),
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
