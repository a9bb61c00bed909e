// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';

/** Installing and compiling from nothing on a busy machine takes a minute or two. */
const COMMAND_TIMEOUT_MS = 600_000;

/** What is run. */
export interface Command {
  readonly program: string;
  readonly args: readonly string[];
  /** Working directory; without one, that of this process. */
  readonly directory?: string;
  /** Added to the environment of this process. */
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * Runs a program to its end.
 * @returns what it wrote to standard output
 * @throws {Error} it could not be started, ended with another code than 0 or took ten minutes;
 *   the message has all that it wrote
 */
export async function runCommand(command: Command): Promise<string> {
  const { program, args } = command;
  const child = spawn(program, args, {
    cwd: command.directory,
    // What this process was given for its own telemetry is not for the programs under test.
    env: { ...withoutTelemetry(process.env), ...command.env },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: COMMAND_TIMEOUT_MS,
    killSignal: 'SIGKILL',
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const end = await new Promise<string>((resolve) => {
    child.on('error', (error) => {
      resolve(error.message);
    });
    child.on('close', (code, signal) => {
      resolve(String(code ?? signal));
    });
  });
  if (end !== '0') {
    throw new Error(`${[program, ...args].join(' ')} ended with ${end}\n${stdout}\n${stderr}`);
  }
  return stdout;
}

function withoutTelemetry(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('OTEL_')));
}
