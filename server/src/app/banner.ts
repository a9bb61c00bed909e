// SPDX-License-Identifier: Apache-2.0
import type { Addresses } from './status.ts';

/**
 * What a person who started Spoor in a terminal wants to know first.
 * @param storedIn where spans are kept, or undefined when they are only passed on
 */
export function formatBanner(
  version: string,
  addresses: Addresses,
  storedIn: string | undefined,
): string {
  const all: [label: string, value: string | undefined][] = [
    ['Web page', addresses['query']],
    ['Send spans (OTLP/gRPC)', addresses['otlp_grpc']],
    ['Send spans (OTLP/HTTP)', addresses['otlp_http']],
    ['Send spans (Jaeger)', jaegerAddresses(addresses)],
    ['Send spans (Zipkin)', addresses['zipkin_http']],
    ['Sampling strategies', addresses['sampling_http']],
    ['Stored in', storedIn],
    ['Health and metrics', addresses['health']],
  ];
  const rows = all.filter(([, value]) => value !== undefined);
  const width = Math.max(...rows.map(([label]) => label.length));
  const lines = rows.map(([label, value]) => `  ${label.padEnd(width)}  ${value}\n`);
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
