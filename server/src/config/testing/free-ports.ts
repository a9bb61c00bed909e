// SPDX-License-Identifier: Apache-2.0
import { loadConfig } from '#config/load-config.ts';
import type { Role } from '#config/presets.ts';

/** `path.to.key=value` for every address that a role listens on: any free port of this machine. */
export function freePorts(role: Role = 'all-in-one'): string[] {
  const sets = role === 'agent' ? ['exporters.otlp.endpoint=collector.example:4317'] : [];
  const { receivers, sampling, query, telemetry } = loadConfig({ env: {}, role, sets });
  return [...endpoints({ receivers, sampling, query, telemetry }, '')].map(
    (path) => `${path}=127.0.0.1:0`,
  );
}

function* endpoints(section: object, path: string): Generator<string> {
  for (const [name, value] of Object.entries(section)) {
    if (name === 'endpoint') yield path + name;
    else if (typeof value === 'object' && value !== null)
      yield* endpoints(value, `${path}${name}.`);
  }
}
