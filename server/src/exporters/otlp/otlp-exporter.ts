// SPDX-License-Identifier: Apache-2.0
import { createDelivery, type DeliverySettings } from '#exporters/sending/delivery.ts';
import { Destinations, type DestinationsOptions } from '#exporters/sending/destinations.ts';
import type { Routing } from '#exporters/sending/sender.ts';
import { SendingExporter } from '#exporters/sending/sending-exporter.ts';
import type { Logger } from '#net/logger.ts';
import { ClientTls, type ClientTlsSettings } from '#net/tls/client-tls.ts';
import { GrpcTransport, type GrpcTransportSettings } from './grpc-transport.ts';
import { HttpTransport, type HttpTransportSettings } from './http-transport.ts';

/** What is spoken with the servers. */
export type OtlpProtocol =
  | ({ readonly name: 'grpc' } & GrpcTransportSettings)
  | ({ readonly name: 'http' } & Omit<HttpTransportSettings, 'maxConnections'>);

/** Settings of an exporter of OTLP. */
export interface OtlpExporterSettings extends DeliverySettings {
  readonly protocol: OtlpProtocol;
  /** For the servers that do not speak plain text. */
  readonly tls: ClientTlsSettings | undefined;
  readonly servers: DestinationsOptions['servers'];
  readonly resolveIntervalMs: number;
  readonly routing: Routing;
  /** Largest body in bytes. */
  readonly maxRequestBytes: number;
}

/** Exports OTLP over gRPC or HTTP. */
export function createOtlpExporter(
  settings: OtlpExporterSettings,
  logger: Logger,
): SendingExporter {
  const { path, protocol, queue, servers } = settings;
  const isPlain = servers.every((server) => server.isPlain);
  const tls =
    settings.tls === undefined || isPlain
      ? undefined
      : new ClientTls(`${path}.tls`, settings.tls, logger);
  const destinations = new Destinations({
    ...settings,
    connect: (address, name) => {
      const own = address.isPlain ? undefined : tls;
      if (protocol.name === 'grpc') return new GrpcTransport(protocol, address, name, own);
      const maxConnections = queue.maxUnderWay;
      return new HttpTransport({ ...protocol, maxConnections }, address, name, own);
    },
    logger,
  });
  const delivery = createDelivery(settings, { ...settings, destinations, isOtlp: true }, logger);
  return new SendingExporter({
    ...delivery,
    destinations,
    requestsOf: (tenant, batch) => delivery.sender.requestsOf(tenant, batch),
    tls,
  });
}
