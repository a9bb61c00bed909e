// SPDX-License-Identifier: Apache-2.0
import type { SpoorConfig } from './config.ts';
import { isSection, valueIn, withValue } from './config-tree.ts';
import { formatEndpoint, readEndpoint } from './endpoint.ts';

/** Sections with endpoints that are listened on. */
const LISTENING = ['receivers', 'sampling', 'query', 'telemetry'];

/**
 * The configuration with `listen_host` in every endpoint that nobody has set.
 * @param tree what was set
 */
export function withListenHost(config: SpoorConfig, tree: unknown): SpoorConfig {
  let result: unknown = config;
  for (const path of endpoints(config, [])) {
    if (!LISTENING.includes(path[0] ?? '') || valueIn(tree, ...path) !== undefined) continue;
    const { port } = readEndpoint(String(valueIn(config, ...path)));
    result = withValue(result, path, formatEndpoint({ host: config.listen_host, port }));
  }
  // Only texts were replaced by texts.
  return result as SpoorConfig;
}

function* endpoints(section: object, path: readonly string[]): Generator<readonly string[]> {
  for (const [name, value] of Object.entries(section)) {
    if (name === 'endpoint') yield [...path, name];
    else if (isSection(value)) yield* endpoints(value, [...path, name]);
  }
}
