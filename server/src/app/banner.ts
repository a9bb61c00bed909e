// SPDX-License-Identifier: Apache-2.0
import type { SpoorConfig } from '#config/config.ts';
import type { Addresses } from './status.ts';

/** What a person who started Spoor in a terminal wants to know first. */
export function formatBanner(version: string, config: SpoorConfig, addresses: Addresses): string {
  const rows: [label: string, value: string | undefined][] = [
    ['Web page', addresses['query']],
    ['Send spans (OTLP/gRPC)', addresses['otlp_grpc']],
    ['Send spans (OTLP/HTTP)', addresses['otlp_http']],
    ['Send spans (Jaeger)', jaegerAddresses(addresses)],
    ['Send spans (Zipkin)', addresses['zipkin_http']],
    ['Sampling strategies', addresses['sampling_http']],
    [
      'Stored in',
      config.storage.type === 'memory' ? 'memory, until it stops' : config.storage.directory,
    ],
    ['Health and metrics', addresses['health']],
  ];
  const width = Math.max(...rows.map(([label]) => label.length));
  const lines = rows.map(([label, value]) => `  ${label.padEnd(width)}  ${value ?? 'off'}\n`);
  return `\nSpoor ${version} is ready. Stop it with Ctrl-C.\n\n${lines.join('')}\n`;
}

/** Ports for clients of Jaeger, where the first three of them listen. */
function jaegerAddresses(addresses: Addresses): string | undefined {
  const { jaeger_http: http } = addresses;
  const udp = [addresses['jaeger_udp_thrift_compact'], addresses['jaeger_udp_thrift_binary']];
  const all = [http, ...udp.filter((address) => address !== undefined).map((a) => `udp://${a}`)];
  const known = all.filter((address) => address !== undefined);
  return known.length === 0 ? undefined : known.join(', ');
}
