// SPDX-License-Identifier: Apache-2.0
import { SpoorError } from '@spoor/core/model/errors.ts';
import type { SpoorConfig } from '#config/config.ts';
import type { Environment } from '#config/env-expansion.ts';
import { loadConfig } from '#config/load-config.ts';
import { isRole, ROLES, type Role } from '#config/presets.ts';
import { nearestName } from '#config/suggest.ts';
import { readVersion } from '#telemetry/version.ts';
import { EXIT, UsageError } from './cli-error.ts';
import { HELP } from './help.ts';
import { COMMANDS, parseOptions, type CliOptions } from './options.ts';

/** What the command line works on, so that tests can give their own. */
export interface CliSurroundings {
  readonly env: Environment;
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
}

const PROCESS: CliSurroundings = {
  env: process.env,
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
};

/**
 * Runs the command of a command line to its end.
 * @param args the words after the program's name
 * @returns the exit code; never rejects
 */
export async function runCli(
  args: readonly string[],
  surroundings: CliSurroundings = PROCESS,
): Promise<number> {
  try {
    return await runCommand(args, surroundings);
  } catch (error) {
    if (error instanceof UsageError || (error instanceof SpoorError && error.code === 'config')) {
      for (const line of error.message.split('\n')) surroundings.err(`spoor: ${line}\n`);
      return EXIT.usage;
    }
    surroundings.err(
      `spoor: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
    );
    return EXIT.failed;
  }
}

async function runCommand(args: readonly string[], surroundings: CliSurroundings): Promise<number> {
  const { out } = surroundings;
  // These read their own options.
  if (args[0] === 'tracegen') {
    const { runTracegen } = await import('#cli/tracegen/tracegen.ts');
    return await runTracegen(args.slice(1));
  }
  if (args[0] === 'store') {
    const { storeCommand } = await import('#cli/store/store-command.ts');
    return await storeCommand(args.slice(1), surroundings);
  }
  const options = parseOptions(args);
  if (options.help || options.words[0] === 'help') {
    out(HELP);
    return EXIT.ok;
  }
  if (options.version) {
    out(`spoor ${readVersion()}\n`);
    return EXIT.ok;
  }
  const [command = 'serve', ...words] = options.words;
  if (command === 'serve' || isRole(command)) {
    if (words.length > 0) {
      throw new UsageError(`spoor ${command} takes no further word: ${words[0]}`);
    }
    const config = load(options, surroundings, command === 'serve' ? undefined : command);
    // Loaded only here: the other commands need none of the server.
    const { serve } = await import('#app/run.ts');
    return await serve(config, surroundings);
  }
  switch (command) {
    case 'config': {
      const { configCommand } = await import('./config-command.ts');
      out(configCommand(words, (role) => load(options, surroundings, role)));
      return EXIT.ok;
    }
    case 'store':
    case 'tracegen':
      throw new UsageError(`${command} comes first: spoor ${command} [options]`);
    default: {
      const near = nearestName(command, [...COMMANDS, ...ROLES]);
      throw new UsageError(
        `unknown command ${command}; ${near === undefined ? 'spoor --help lists them' : `did you mean spoor ${near}?`}`,
      );
    }
  }
}

function load(
  options: CliOptions,
  surroundings: CliSurroundings,
  role: Role | undefined,
): SpoorConfig {
  return loadConfig({
    role,
    file: options.configFile,
    dataDirectory: options.dataDirectory,
    sets: options.sets,
    jaegerFlags: options.jaegerFlags,
    warn: (message) => surroundings.err(`spoor: warning: ${message}\n`),
    env: surroundings.env,
  });
}
