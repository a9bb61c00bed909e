// SPDX-License-Identifier: Apache-2.0
import { parseArgs } from 'node:util';
import { quote } from '@spoor/core/model/errors.ts';
import { configKeys, walkKeys } from '#config/config-keys.ts';
import { V1_FLAGS } from '#config/jaeger/v1-flags.ts';
import { jaegerFlagType, type JaegerFlag } from '#config/jaeger/v1-settings.ts';
import { nearestName } from '#config/suggest.ts';
import { UsageError } from './cli-error.ts';
import { checkOptions } from './option-check.ts';

/** What the command line says. */
export interface CliOptions {
  /** Words that are no options: the command and what follows it. */
  readonly words: readonly string[];
  readonly dataDirectory: string | undefined;
  readonly configFile: string | undefined;
  readonly sets: readonly string[];
  /** Flags of Jaeger 1, in their order. */
  readonly jaegerFlags: readonly JaegerFlag[];
  readonly help: boolean;
  readonly version: boolean;
}

const OPTIONS = {
  data: { type: 'string' },
  config: { type: 'string' },
  set: { type: 'string', multiple: true },
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean', short: 'v' },
} as const;

/** Commands by name, beside the roles. */
export const COMMANDS = ['serve', 'config', 'store', 'tracegen'] as const;

/**
 * Reads the arguments after the program's name.
 * @throws {UsageError} an option is unknown, has no value, or is there twice and takes one
 */
export function parseOptions(args: readonly string[]): CliOptions {
  const { values, positionals, tokens } = parseArgs({
    args: [...args],
    options: { ...OPTIONS, ...jaegerOptions(args) },
    allowPositionals: true,
    strict: false,
    tokens: true,
  });
  const jaegerFlags: JaegerFlag[] = [];
  for (const token of tokens) {
    const jaegerType = token.kind === 'option' ? jaegerFlagType(token.name) : undefined;
    if (token.kind !== 'option' || jaegerType === undefined) continue;
    if (jaegerType === 'string' && token.value === undefined) {
      throw new UsageError(`option ${token.rawName} needs a value`);
    }
    jaegerFlags.push({ name: token.name, value: token.value ?? 'true' });
  }
  const own = tokens.filter((one) => one.kind !== 'option' || !jaegerFlagType(one.name));
  checkOptions(own, { options: OPTIONS, unknown: unknownOption, uses: USES });
  return {
    words: positionals,
    // Each is checked above to be of its declared type, which `strict: false` leaves open.
    dataDirectory: values.data as string | undefined,
    configFile: values.config as string | undefined,
    sets: (values.set ?? []) as string[],
    jaegerFlags,
    help: values.help === true,
    version: values.version === true,
  };
}

/** The flags of Jaeger 1 among these arguments, so that their values are not taken for words. */
function jaegerOptions(args: readonly string[]): Record<string, { type: 'boolean' | 'string' }> {
  const options: Record<string, { type: 'boolean' | 'string' }> = {};
  for (const arg of args) {
    const name = /^--([a-z][a-z0-9.-]*)/.exec(arg)?.[1] ?? '';
    const type = jaegerFlagType(name);
    if (type !== undefined) options[name] = { type };
  }
  return options;
}

const USES: Readonly<Record<string, string>> = {
  data: '--data DIR',
  config: '--config FILE',
  set: '--set path.to.key=value',
};

function unknownOption(rawName: string): string {
  const name = rawName.replace(/^-+/, '');
  const keys = [...walkKeys(configKeys())].map((key) => key.path);
  if (keys.includes(name)) return `unknown option ${rawName}; write --set ${name}=VALUE`;
  const flags = [...V1_FLAGS].filter(([, flag]) => flag.isVariableOnly !== true);
  const near = nearestName(name, [...Object.keys(OPTIONS), ...flags.map(([flag]) => flag)]);
  const hint = near === undefined ? 'spoor --help lists them' : `did you mean --${near}?`;
  return `unknown option ${quote(rawName)}; ${hint}`;
}
