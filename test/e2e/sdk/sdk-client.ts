// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from 'node:child_process';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installOnce } from './client-cache.ts';
import { runCommand, type Command } from './run-command.ts';

const HERE = fileURLToPath(new URL('.', import.meta.url));

/** A client program, with its SDK installed. */
export interface InstalledClient {
  /** Runs the client of this folder, without its arguments. */
  readonly client: Command;
  /** Runs another program of the language with the same SDK, given its text and the name of its file. */
  readonly run: (program: string, file: string, env: Record<string, string>) => Promise<string>;
}

/** One official SDK: how its client is run, and what sets its spans apart from those of the others. */
export interface Sdk {
  readonly name: string;
  readonly transports: readonly string[];
  /** Programs that must be there, each with arguments that show it. */
  readonly tools: readonly (readonly string[])[];
  /** A 64-bit integer is exact; JavaScript has doubles only. */
  readonly int64: boolean;
  /** Tracers can have attributes. */
  readonly scopeAttributes: boolean;
  /** The trace state of a link is sent. */
  readonly linkTraceState: boolean;
  /** Of a span: 0x100 says that bit 0x200 (remote parent) is known; the lower ones are the W3C flags. */
  readonly spanFlags: number;
  /** Of a link to a remote span. */
  readonly linkFlags: number;
  /** Installs the SDK and the client on the first call, which takes up to a minute. */
  readonly install: () => Promise<InstalledClient>;
}

const PROTOBUF = ['grpc', 'grpc+gzip', 'http/protobuf', 'http/protobuf+gzip'];

/** The SDKs that are tested. */
export const SDKS: readonly Sdk[] = [
  {
    name: 'node',
    transports: [...PROTOBUF, 'http/json', 'http/json+gzip'],
    tools: [['npm', '--version']],
    int64: false,
    scopeAttributes: false,
    linkTraceState: true,
    spanFlags: 0x101,
    linkFlags: 0x301,
    install: installNode,
  },
  {
    name: 'go',
    transports: PROTOBUF,
    tools: [['go', 'version']],
    int64: true,
    scopeAttributes: true,
    linkTraceState: false,
    spanFlags: 0x101,
    linkFlags: 0x301,
    install: installGo,
  },
  {
    name: 'python',
    transports: PROTOBUF,
    tools: [['python3', '-m', 'pip', '--version']],
    int64: true,
    scopeAttributes: true,
    linkTraceState: false,
    // It leaves out the W3C flags.
    spanFlags: 0x100,
    linkFlags: 0x300,
    install: installPython,
  },
  {
    name: 'java',
    transports: PROTOBUF,
    tools: [
      ['javac', '-version'],
      ['mvn', '--version'],
    ],
    int64: true,
    scopeAttributes: false,
    linkTraceState: true,
    // Its ids are random, and it says so.
    spanFlags: 0x103,
    linkFlags: 0x301,
    install: installJava,
  },
];

/** Why an SDK cannot be tested on this machine, or false; in CI everything must be there. */
export function whySkipped(sdk: Sdk): string | false {
  if (process.env['CI'] !== undefined) return false;
  const missing = sdk.tools.filter(
    ([program = '', ...args]) => spawnSync(program, args).status !== 0,
  );
  if (missing.length === 0) return false;
  return `${missing.map((tool) => `"${tool.join(' ')}"`).join(' and ')} does not run here`;
}

async function installNode(): Promise<InstalledClient> {
  const files = ['package.json', 'package-lock.json', 'client.mjs'];
  const directory = await installOnce(join(HERE, 'node'), files, async (target) => {
    const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund'];
    await runCommand({ program: 'npm', args, directory: target });
  });
  const node = (file: string): Command => ({ program: process.execPath, args: [file] });
  return {
    client: node(join(directory, 'client.mjs')),
    // Its modules are looked for in the directories above it.
    run: (program, file, env) => runProgram(directory, program, file, env, node),
  };
}

async function installGo(): Promise<InstalledClient> {
  const source = join(HERE, 'go');
  const build = async (target: string): Promise<void> => {
    const args = ['build', '-o', 'client', '.'];
    await runCommand({ program: 'go', args, directory: target });
  };
  const directory = await installOnce(source, ['go.mod', 'go.sum', 'main.go'], build);
  return {
    client: { program: join(directory, 'client'), args: [] },
    run: (program, file, env) => runProgram(directory, program, file, env),
  };
}

async function installPython(): Promise<InstalledClient> {
  const files = ['requirements.txt', 'client.py'];
  const directory = await installOnce(join(HERE, 'python'), files, async (target) => {
    const args = ['-m', 'pip', 'install', '--quiet', '--target', 'lib', '-r', 'requirements.txt'];
    await runCommand({ program: 'python3', args, directory: target });
  });
  const env = { PYTHONPATH: join(directory, 'lib') };
  const python = (file: string): Command => ({ program: 'python3', args: [file], env });
  return {};
}
