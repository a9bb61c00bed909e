// SPDX-License-Identifier: Apache-2.0
import type { SpoorConfig } from '#config/config.ts';
import type { Addresses } from './status.ts';

/** What a person who started Spoor in a terminal wants to know first. */
export function formatBanner(version: string, config: SpoorConfig, addresses: Addresses): string {
  const rows: [label: string, value: string | undefined][] = [
    ['Web page', addresses['query']],
    ['Send spans (OTLP/gRPC)', addresses['otlp_grpc']],
    ['Send spans (OTLP/HTTP)', addresses['otlp_http']],
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
