// SPDX-License-Identifier: Apache-2.0
import { parseArgs } from 'node:util';
import { quote } from '@spoor/core/model/errors.ts';
import { nearestName } from '#config/suggest.ts';
import { UsageError } from './cli-error.ts';

/** Options of a command by name, as `parseArgs` takes them. */
export type OptionTable = Readonly<
  Record<string, { type: 'boolean' | 'string'; multiple?: boolean; short?: string }>
>;

/** A piece of a command line, of what `parseArgs` tells. */
export type OptionToken =
  | {
      readonly kind: 'option';
      readonly name: string;
      /** As it was typed, with its dashes. */
      readonly rawName: string;
      readonly value: string | undefined;
      readonly inlineValue: boolean | undefined;
    }
  | { readonly kind: 'positional' | 'option-terminator' };

/** What of a command line is refused before its values are looked at. */
export interface OptionChecks {
  readonly options: OptionTable;
  /** What is said about an option that is not in the table. */
  readonly unknown: (rawName: string) => string;
  /** How options are written, by name. */
  readonly uses?: Readonly<Record<string, string>>;
}

/**
 * Checks what every command asks of its options.
 * @throws {UsageError} one is unknown, lacks its value, has one and takes none, or takes one and is there twice: which of the two was
 * meant nobody can know, and what a command does may be for good
 */
export function checkOptions(
  tokens: readonly OptionToken[],
  { options, unknown, uses = {} }: OptionChecks,
): void {
  const seen = new Set<string>();
  for (const token of tokens) {
    if (token.kind !== 'option') continue;
    const { name, rawName, value, inlineValue } = token;
    const option = Object.hasOwn(options, name) ? options[name] : undefined;
    if (option === undefined) throw new UsageError(unknown(rawName));
    if (option.type === 'boolean') {
      if (value === undefined) continue;
      throw new UsageError(`option ${rawName} takes no value, but ${quote(value)} was given`);
    }
    const use = uses[name] === undefined ? '' : `: ${uses[name]}`;
    if (value === undefined || (value === '' && use !== '')) {
      throw new UsageError(`option ${rawName} needs a value${use}`);
    }
    if (inlineValue !== true && /^-./.test(value)) {
      throw new UsageError(
        `option ${rawName} needs a value, but the next word is the option ${value}; what begins so is written ${rawName}=VALUE`,
      );
    }
    if (seen.has(name) && option.multiple !== true) {
      throw new UsageError(`option ${rawName} is there twice and takes one value`);
    }
    seen.add(name);
  }
}

/**
 * Reads the options and words of a command.
 * @param command as it is typed, such as `spoor store`
 * @throws {UsageError} as {@link checkOptions}
 */
// oxlint-disable-next-line typescript/explicit-function-return-type -- the type is what parseArgs makes of the table
export function readOptions<const Table extends OptionTable>(
  command: string,
  args: readonly string[],
  options: Table,
) {
  const unknown = (rawName: string): string => {
    const near = nearestName(rawName.replace(/^-+/, ''), Object.keys(options));
    const hint = near === undefined ? `${command} --help lists them` : `did you mean --${near}?`;
    return `unknown option ${quote(rawName)}; ${hint}`;
  };
  const parsed = parseArgs({
    args: [...args],
    options,
    allowPositionals: true,
    strict: false,
    tokens: true,
  });
  checkOptions(parsed.tokens, { options, unknown });
  return parseArgs({ args: [...args], options, allowPositionals: true });
}
