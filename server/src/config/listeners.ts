// SPDX-License-Identifier: Apache-2.0
import type { SpoorConfig } from './config.ts';
import type { ConfigProblem } from './config-problem.ts';
import { isSection, valueIn, withValue } from './config-tree.ts';
import { formatEndpoint, readEndpoint, type Endpoint } from './endpoint.ts';

/** Sections with endpoints that are listened on. */
const SECTIONS = ['receivers', 'sampling', 'query', 'telemetry'] as const;

/** Protocols over UDP, whose ports are others than those of TCP. */
const UDP = new Set(['thrift_compact', 'thrift_binary', 'zipkin_compact']);

/**
 * The configuration with `listen_host` in every endpoint that nobody has set.
 * @param tree what was set
 */
export function withListenHost(config: SpoorConfig, tree: unknown): SpoorConfig {
  let result: unknown = config;
  for (const { path, endpoint } of listenersOf(config)) {
    if (valueIn(tree, ...path) !== undefined) continue;
    const { port } = endpoint;
    result = withValue(result, path, formatEndpoint({ host: config.listen_host, port }));
  }
  // Only texts were replaced by texts.
  return result as SpoorConfig;
}

/** Ports that two parts would listen on. */
export function checkPorts(config: SpoorConfig): ConfigProblem[] {
  const used = Object.values(config.service.pipelines).flatMap(({ receivers }) => receivers);
  const takers = new Map<string, string>();
  const problems: ConfigProblem[] = [];
  for (const { path, endpoint } of listenersOf(config)) {
    const [kind, id = ''] = path;
    if (kind === 'receivers' && !used.includes(id)) continue;
    if (endpoint.port === 0 || valueIn(config, ...path.slice(0, -1), 'enabled') === false) continue;
    const key = `${UDP.has(path.at(-2) ?? '') ? 'udp' : 'tcp'} ${formatEndpoint(endpoint)}`;
    const taker = takers.get(key);
    if (taker === undefined) takers.set(key, path.join('.'));
    else problems.push({ path, message: `port ${endpoint.port} is that of ${taker} already` });
  }
  return problems;
}

function* listenersOf(
  config: SpoorConfig,
): Generator<{ readonly path: readonly string[]; readonly endpoint: Endpoint }> {
  for (const section of SECTIONS) yield* endpointsBelow(config[section], [section]);
}

function* endpointsBelow(
  section: object,
  path: readonly string[],
): Generator<{ readonly path: readonly string[]; readonly endpoint: Endpoint }> {
  for (const [name, value] of Object.entries(section)) {
    const at = [...path, name];
    if (name === 'endpoint') yield { path: at, endpoint: readEndpoint(String(value)) };
    else if (isSection(value)) yield* endpointsBelow(value, at);
  }
}
