// SPDX-License-Identifier: Apache-2.0
import { SpoorError } from '@spoor/core/model/errors.ts';
import { configSchema, type ComponentIds, type SpoorConfig } from './config.ts';
import { childKey, configKeys, findKey, type ConfigKey } from './config-keys.ts';
import { describeIssues, unknownKey, type ConfigProblem } from './config-problem.ts';
import {
  parseSet,
  readConfigFile,
  type ConfigOverride,
  type ConfigSource,
} from './config-source.ts';
import type { Environment } from './env-expansion.ts';
import { checkPipelines } from './pipeline-check.ts';
import { PRESETS, type Role } from './presets.ts';

/** Where the configuration comes from; a later one of these wins: role, file, SPOOR_DATA, dataDirectory, sets. */
export interface ConfigInputs {
  /** The preset that everything else lays over; the all-in-one unless given. */
  readonly role?: Role | undefined;
  /** YAML file, `--config`. */
  readonly file?: string | undefined;
  /** Data directory, `--data`. */
  readonly dataDirectory?: string | undefined;
  /** `path.to.key=value`, `--set`. */
  readonly sets?: readonly string[];
  readonly env: Environment;
}

/**
 * The effective configuration.
 * @throws {SpoorError} config: the message has a line for every problem, each beginning with the key's path
 */
export function loadConfig(inputs: ConfigInputs): SpoorConfig {
  const keys = configKeys();
  const file = inputs.file === undefined ? undefined : readConfigFile(inputs.file, inputs.env);
  const overrides = readOverrides(inputs);
  const problems: ConfigProblem[] = [];

  let tree = layOver(PRESETS[inputs.role ?? 'all-in-one'], fillSections(file?.tree ?? {}, keys));
  for (const override of overrides) {
    if (findKey(keys, override.path) === undefined) problems.push(unknownKey(keys, override.path));
    else tree = withValue(tree, override.path, override.value);
  }
  tree = fillSections(tree, keys);
  const result = configSchema(componentIds(tree)).safeParse(tree);
  if (result.success) problems.push(...checkPipelines(result.data));
  else problems.push(...describeIssues(result.error.issues, tree, keys));
  if (result.success && problems.length === 0) return result.data;
  throw new SpoorError(
    'config',
    problems.map((problem) => formatProblem(problem, file, overrides)).join('\n'),
  );
}

function readOverrides(inputs: ConfigInputs): ConfigOverride[] {
  const path = ['storage', 'directory'];
  const overrides: ConfigOverride[] = [];
  const fromEnv = inputs.env['SPOOR_DATA'];
  if (fromEnv !== undefined && fromEnv !== '') {
    overrides.push({ path, value: fromEnv, name: 'SPOOR_DATA' });
  }
  if (inputs.dataDirectory !== undefined) {
    overrides.push({ path, value: inputs.dataDirectory, name: '--data' });
  }
  for (const set of inputs.sets ?? []) overrides.push(parseSet(set, inputs.env));
  return overrides;
}

// In YAML `grpc:` with nothing after it is null; the collector reads it as "with the defaults", and so do we.
function fillSections(tree: unknown, key: ConfigKey): unknown {
  if (key.children === undefined) return tree;
  if (tree === null || tree === undefined) return {};
  if (typeof tree !== 'object' || Array.isArray(tree)) return tree;
  return Object.fromEntries(
    Object.entries(tree).map(([name, child]) => {
      const below = childKey(key, name);
      return [name, below === undefined ? child : fillSections(child, below)];
    }),
  );
}

function isSection(tree: unknown): tree is Readonly<Record<string, unknown>> {
  return typeof tree === 'object' && tree !== null && !Array.isArray(tree);
}

/** A tree with what `over` says in place of what `base` says, key by key; pipelines are taken as a whole. */
function layOver(base: unknown, over: unknown, path = ''): unknown {
  if (!isSection(base) || !isSection(over) || path === 'service.pipelines') return over;
  const below = Object.entries(over).map(([name, child]): [string, unknown] => [
    name,
    Object.hasOwn(base, name)
      ? layOver(base[name], child, path === '' ? name : `${path}.${name}`)
      : child,
  ]);
  return Object.fromEntries([...Object.entries(base), ...below]);
}

function componentIds(tree: unknown): ComponentIds {
  const below = (section: unknown, name: string): unknown =>
    isSection(section) && Object.hasOwn(section, name) ? section[name] : undefined;
  const idsOf = (section: unknown): string[] => (isSection(section) ? Object.keys(section) : []);
  return {
    receivers: idsOf(below(tree, 'receivers')),
    processors: idsOf(below(tree, 'processors')),
    exporters: idsOf(below(tree, 'exporters')),
    pipelines: idsOf(below(below(tree, 'service'), 'pipelines')),
  };
}

// Only called with paths of known keys, so no name is special to objects.
function withValue(tree: unknown, path: readonly string[], value: unknown): unknown {
  const [name, ...rest] = path;
  if (name === undefined) return value;
  const section: Record<string, unknown> = isSection(tree) ? { ...tree } : {};
  section[name] = withValue(section[name], rest, value);
  return section;
}

function formatProblem(
  problem: ConfigProblem,
  file: ConfigSource | undefined,
  overrides: readonly ConfigOverride[],
): string {
  const { path } = problem;
  const override = overrides.findLast(
    (o) =>
      o.path.every((part, i) => part === path[i]) || path.every((part, i) => part === o.path[i]),
  );
  const where = override?.name ?? file?.locate(path);
  const key = path.length === 0 ? 'the configuration' : path.join('.');
  return `${key}: ${problem.message}${where === undefined ? '' : ` (${where})`}`;
}
