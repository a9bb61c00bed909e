// SPDX-License-Identifier: Apache-2.0
import { SpoorError } from '@spoor/core/model/errors.ts';
import { configSchema, type SpoorConfig } from './config.ts';
import { configKeys, findKey } from './config-keys.ts';
import { checkPorts, withListenHost } from './listeners.ts';
import { describeIssues, describeValue, unknownKey, type ConfigProblem } from './config-problem.ts';
import { parseSet, readConfigFile, type ConfigOverride } from './config-source.ts';
import { fillSections, keysIn, layOver, valueIn, withValue } from './config-tree.ts';
import type { Environment } from './env-expansion.ts';
import { rewriteJaegerFile } from './jaeger/v2-file.ts';
import { readJaegerSettings, type JaegerFlag } from './jaeger/v1-settings.ts';
import { checkPipelines, findUnused } from './pipeline-check.ts';
import { PRESETS, type Role } from './presets.ts';

/**
 * Where the configuration comes from; a later one of these wins: role, file, Jaeger's environment variables, Jaeger's flags,
 * SPOOR_DATA, dataDirectory, sets.
 */
export interface ConfigInputs {
  /** The preset that everything else lays over; the all-in-one unless given. */
  readonly role?: Role | undefined;
  /** YAML file, `--config`. */
  readonly file?: string | undefined;
  /** Flags of Jaeger 1. */
  readonly jaegerFlags?: readonly JaegerFlag[];
  /** Data directory, `--data`. */
  readonly dataDirectory?: string | undefined;
  /** `path.to.key=value`, `--set`. */
  readonly sets?: readonly string[];
  readonly env: Environment;
  /** Takes what is no error and should be known: settings without an effect. */
  readonly warn?: (message: string) => void;
}

/**
 * The effective configuration.
 * @throws {SpoorError} config: the message has a line for every problem, each beginning with the key's path
 */
export function loadConfig(inputs: ConfigInputs): SpoorConfig {
  const { role = 'all-in-one', env, warn = () => undefined } = inputs;
  const keys = configKeys();
  const source = inputs.file === undefined ? undefined : readConfigFile(inputs.file, env);
  const given = source?.tree ?? {};
  if (typeof given !== 'object' || Array.isArray(given)) {
    const message = `must be a section with keys of its own, not ${describeValue(given)}`;
    const whole = { path: [], message };
    throw new SpoorError(
      'config',
      formatProblem(whole, (path) => source?.locate(path), []),
    );
  }
  const rewritten = rewriteJaegerFile(given);
  const jaeger = readJaegerSettings(inputs.jaegerFlags ?? [], env);
  const overrides = [...jaeger.overrides, ...readOverrides(inputs)];
  const locate = (path: readonly string[]): string | undefined =>
    source?.locate(rewritten.originOf(path));
  const problems: ConfigProblem[] = [...rewritten.problems];

  let tree = layOver(PRESETS[role], fillSections(rewritten.tree, keys));
  for (const override of overrides) {
    if (findKey(keys, override.path) === undefined) problems.push(unknownKey(keys, override.path));
    else tree = withValue(tree, override.path, overriding(tree, override));
  }
  tree = fillSections(tree, keys);
  const schema = configSchema({
    receivers: keysIn(tree, 'receivers'),
    processors: keysIn(tree, 'processors'),
    exporters: keysIn(tree, 'exporters'),
    pipelines: keysIn(tree, 'service', 'pipelines'),
  });
  const result = schema.safeParse(tree);
  if (result.success) {
    problems.push(...checkPipelines(result.data), ...checkPorts(withListenHost(result.data, tree)));
  } else problems.push(...describeIssues(result.error.issues, tree, keys));
  if (problems.length > 0 || !result.success) {
    const lines = problems.map((problem) => formatProblem(problem, locate, overrides));
    throw new SpoorError('config', lines.join('\n'));
  }
  for (const message of [...rewritten.warnings, ...jaeger.warnings]) warn(message);
  for (const { name, component } of findUnused(result.data, jaeger.overrides)) {
    warn(`${name} has no effect: no pipeline uses ${component}`);
  }
  return withListenHost(result.data, tree);
}

/** The value that an override leads to. */
function overriding(tree: unknown, { path, value, isAdded }: ConfigOverride): unknown {
  if (isAdded !== true) return value;
  return [...new Set([valueIn(tree, ...path) ?? [], value].flat())];
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

function formatProblem(
  problem: ConfigProblem,
  locate: (path: readonly string[]) => string | undefined,
  overrides: readonly ConfigOverride[],
): string {
  const { path } = problem;
  const override = overrides.findLast(
    (o) =>
      o.path.every((part, i) => part === path[i]) || path.every((part, i) => part === o.path[i]),
  );
  const where = override?.name ?? locate(path);
  const key = path.length === 0 ? 'the configuration' : path.join('.');
  return `${key}: ${problem.message}${where === undefined ? '' : ` (${where})`}`;
}
