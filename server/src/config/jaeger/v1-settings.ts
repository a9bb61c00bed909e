// SPDX-License-Identifier: Apache-2.0
import { SpoorError } from '@spoor/core/model/errors.ts';
import type { ConfigOverride } from '../config-source.ts';
import type { Environment } from '../env-expansion.ts';
import type { V1Flag } from './v1-flag.ts';
import { refusedPrefix, V1_FLAGS } from './v1-flags.ts';

/** A flag of the command line in the form of Jaeger 1. */
export interface JaegerFlag {
  /** Without its dashes, such as `collector.zipkin.host-port`. */
  readonly name: string;
  readonly value: string;
}

/** What flags and environment variables of Jaeger 1 mean here. */
export interface JaegerSettings {
  readonly overrides: readonly ConfigOverride[];
  /** Of those that mean nothing here. */
  readonly warnings: readonly string[];
}

/** The environment variable of a flag: Jaeger takes both. */
export function variableOf(flag: string): string {
  return flag.toUpperCase().replaceAll(/[.-]/g, '_');
}

/** Whether a flag is one of Jaeger 1, and whether it takes a value of true when it stands alone. */
export function jaegerFlagType(name: string): 'boolean' | 'string' | undefined {
  const flag = V1_FLAGS.get(name);
  if (flag !== undefined) return flag.isBoolean === true ? 'boolean' : 'string';
  return refusedPrefix(name) === undefined ? undefined : 'string';
}

/**
 * Reads flags and environment variables of Jaeger 1; flags win.
 * @throws {SpoorError} config: one has a value that it cannot have, or asks for what Spoor does not have
 */
export function readJaegerSettings(flags: readonly JaegerFlag[], env: Environment): JaegerSettings {
  const overrides: ConfigOverride[] = [];
  const warnings: string[] = [];
  const problems: string[] = [];
  const read = (flag: V1Flag, name: string, value: string): void => {
    try {
      const meaning = flag.read(value);
      if (typeof meaning === 'string') warnings.push(`${name} has no effect: ${meaning}`);
      else overrides.push(...meaning.map((override) => ({ ...override, name })));
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      problems.push(`${name}: ${error.message}`);
    }
  };
  for (const [name, flag] of V1_FLAGS) {
    const variable = variableOf(name);
    const value = env[variable];
    if (value !== undefined && value !== '') read(flag, variable, value);
  }
  const order = [...V1_FLAGS.keys()];
  // One flag may refine what another sets, whichever comes first.
  for (const { name, value } of flags.toSorted(
    (a, b) => order.indexOf(a.name) - order.indexOf(b.name),
  )) {
    const flag = V1_FLAGS.get(name);
    if (flag === undefined) problems.push(`--${name}: ${refusedPrefix(name) ?? 'unknown flag'}`);
    else if (flag.isVariableOnly === true)
      problems.push(`--${name}: set ${variableOf(name)} instead`);
    else read(flag, `--${name}`, value);
  }
  if (problems.length > 0) throw new SpoorError('config', problems.join('\n'));
  return { overrides, warnings };
}
