// SPDX-License-Identifier: Apache-2.0
import type { z } from 'zod';
import { readDuration } from '#config/duration.ts';
import { readServers } from '#config/exporter-endpoint.ts';
import type { otlpExporterSchema, otlpHttpExporterSchema } from '#config/otlp-exporter-config.ts';
import type { OtlpExporterSettings, OtlpProtocol } from '#exporters/otlp/otlp-exporter.ts';
import { deliverySettings } from './delivery-settings.ts';
import { clientTlsSettings } from './tls-settings.ts';

type OtlpExporterConfig = z.output<typeof otlpExporterSchema>;
type OtlpHttpExporterConfig = z.output<typeof otlpHttpExporterSchema>;

/** Settings of `exporters.otlp`. */
export function otlpExporterSettings(
  id: string,
  config: OtlpExporterConfig,
  tenantHeader: string | undefined,
): OtlpExporterSettings {
  const servers = readServers('grpc', config.endpoint).map(({ host, port, scheme }) => ({
    host,
    port,
    path: '',
    // As in the collector: encrypted unless told otherwise, by the scheme or in `tls`.
    isPlain: scheme === undefined ? config.tls.insecure : scheme === 'http',
  }));
  return {
    ...commonSettings(id, config),
    protocol: {
      name: 'grpc',
      ...protocolSettings(config, tenantHeader),
      compression: config.compression,
    },
    servers,
  };
}

/** Settings of `exporters.otlphttp`. */
export function otlpHttpExporterSettings(
  id: string,
  config: OtlpHttpExporterConfig,
  tenantHeader: string | undefined,
): OtlpExporterSettings {
  const servers = [
    ...readServers('http', config.endpoint).map((one) => ({
      ...one,
      path: `${one.path}/v1/traces`,
    })),
    ...readServers('http', config.traces_endpoint),
  ];
  return {
    ...commonSettings(id, config),
    protocol: {
      name: 'http',
      ...protocolSettings(config, tenantHeader),
      compression: config.compression,
    },
    servers: servers.map(({ host, port, scheme, path }) => ({
      host,
      port,
      path: path.startsWith('/') ? path : `/${path}`,
      isPlain: scheme === 'http',
    })),
  };
}

function protocolSettings(
  { headers, timeout }: OtlpExporterConfig | OtlpHttpExporterConfig,
  tenantHeader: string | undefined,
): Pick<OtlpProtocol, 'headers' | 'timeoutMs' | 'tenantHeader'> {
  return { headers, timeoutMs: readDuration(timeout), tenantHeader };
}

function commonSettings(
  id: string,
  config: OtlpExporterConfig | OtlpHttpExporterConfig,
): Omit<OtlpExporterSettings, 'protocol' | 'servers'> {
  return {
    ...deliverySettings(id, config, 0),
    // `insecure` is about servers that say nothing of it; others may still be encrypted.
    tls: clientTlsSettings({ ...config.tls, insecure: false }),
    routing: config.routing,
    resolveIntervalMs: readDuration(config.resolve_interval),
    maxRequestBytes: config.max_request_mib * 1024 * 1024,
  };
}
