// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { installOnce } from './client-cache.ts';
import { runCommand, type Command } from './run-command.ts';

/** How programs of a language are run, with packages that are installed for them. */
export interface Toolchain {
  /** Commands that must run on this machine. */
  readonly tools: readonly string[];
  /** Files of a folder that say which versions are installed. */
  readonly locks: readonly string[];
  /** Run once in a directory that has the locks. */
  readonly install: string;
  /** Runs a source file that lies below that directory. */
  readonly command: (directory: string, file: string) => Command;
}

/** One official SDK: how its programs are run, and what sets its spans apart from those of the others. */
export interface Sdk extends Toolchain {
  /** Also the name of its folder here. */
  readonly name: 'node' | 'go' | 'python' | 'java';
  /** The program in its folder that sends the cast. */
  readonly client: string;
  readonly transports: readonly string[];
  /** Integers have 64 bits; JavaScript has doubles only. */
  readonly int64: boolean;
  /** A tracer can have attributes. */
  readonly scopeAttributes: boolean;
  /** The trace state of a link is sent. */
  readonly linkTraceState: boolean;
  /** Of a local span: 0x100 says that bit 0x200, a remote parent, is known; lower bits are the W3C flags. */
  readonly spanFlags: number;
  /** Of a link to a remote span. */
  readonly linkFlags: number;
}

const PROTOBUF_TRANSPORTS = ['grpc', 'grpc+gzip', 'http/protobuf', 'http/protobuf+gzip'];

/** Node, with packages from npm. */
export const NODE: Toolchain = {
  tools: ['npm --version'],
  locks: ['package.json', 'package-lock.json'],
  install: 'npm ci --ignore-scripts --no-audit --no-fund',
  // Packages are looked for in the directories above the file.
  command: (_directory, file) => ({ program: process.execPath, args: [file] }),
};

/** Go, with modules. */
export const GO: Toolchain = {
  tools: ['go version'],
  locks: ['go.mod', 'go.sum'],
  install: 'go mod download',
  command: (directory, file) => ({ program: 'go', args: ['run', file], directory }),
};

/** Python, with packages from PyPI. */
export const PYTHON: Toolchain = {
  tools: ['python3 -m pip --version'],
  locks: ['requirements.txt'],
  install: 'python3 -m pip install --quiet --target lib -r requirements.txt',
  command: (directory, file) => ({
    program: 'python3',
    args: [file],
    env: { PYTHONPATH: join(directory, 'lib') },
  }),
};

/** Java, with artifacts of Maven. */
export const JAVA: Toolchain = {
  tools: ['java -version', 'mvn --version'],
  locks: ['pom.xml'],
  install: 'mvn --quiet --batch-mode dependency:copy-dependencies -DoutputDirectory=lib',
  command: (directory, file) => ({
    program: 'java',
    args: ['-cp', join(directory, 'lib', '*'), file],
  }),
};

/** The SDKs that are tested. */
export const SDKS: readonly Sdk[] = [
  {
    name: 'node',
    client: 'client.mjs',
    transports: [...PROTOBUF_TRANSPORTS, 'http/json', 'http/json+gzip'],
    ...NODE,
    int64: false,
    scopeAttributes: false,
    linkTraceState: true,
    spanFlags: 0x101,
    linkFlags: 0x301,
  },
  {
    name: 'go',
    client: 'main.go',
    transports: PROTOBUF_TRANSPORTS,
    ...GO,
    int64: true,
    scopeAttributes: true,
    linkTraceState: false,
    spanFlags: 0x101,
    linkFlags: 0x301,
  },
  {
    name: 'python',
    client: 'client.py',
    transports: PROTOBUF_TRANSPORTS,
    ...PYTHON,
    int64: true,
    scopeAttributes: true,
    linkTraceState: false,
    // The W3C flags are left out.
    spanFlags: 0x100,
    linkFlags: 0x300,
  },
  {
    name: 'java',
    client: 'Client.java',
    transports: PROTOBUF_TRANSPORTS,
    ...JAVA,
    int64: true,
    scopeAttributes: false,
    linkTraceState: true,
    // Its trace ids are random, and it says so with 0x2.
    spanFlags: 0x103,
    linkFlags: 0x301,
  },
];

/** Directory of an SDK's client and locks. */
export function sdkFolder(sdk: Sdk): string {
  return join(import.meta.dirname, sdk.name);
}

/** Why a language's programs cannot run on this machine, or false; in CI everything has to be there. */
export function whySkipped({ tools }: Toolchain): string | false {
  if (process.env['CI'] !== undefined) return false;
  const missing = tools.filter((tool) => {
    const { program, args } = splitWords(tool);
    return spawnSync(program, args).status !== 0;
  });
  return missing.length === 0 ? false : `"${missing.join('" and "')}" does not run here`;
}

/** A program to run with an SDK. */
export interface SdkProgram {
  /** Name of its source file. */
  readonly file: string;
  readonly text: string;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** Installs an SDK if it is not yet, and runs a program with it to its end. Resolves with its output. */
export function runWithSdk(sdk: Sdk, program: SdkProgram): Promise<string> {
  return runWithTools(sdk, sdkFolder(sdk), program);
}

/** As {@link runWithSdk}, with the packages that the locks in a folder name. */
export async function runWithTools(
  { locks, install, command: commandOf }: Toolchain,
  source: string,
  program: SdkProgram,
): Promise<string> {
  const directory = await installOnce(source, locks, (target) =>
    runCommand({ ...splitWords(install), directory: target }),
  );
  const folder = mkdtempSync(join(directory, 'run-'));
  try {
    const file = join(folder, program.file);
    writeFileSync(file, program.text);
    const command = commandOf(directory, file);
    return await runCommand({
      ...command,
      args: [...command.args, ...(program.args ?? [])],
      env: { ...command.env, ...program.env },
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Text of an SDK's client. */
export function readClient(sdk: Sdk): string {
  return readFileSync(join(sdkFolder(sdk), sdk.client), 'utf8');
}

function splitWords(line: string): { program: string; args: string[] } {
  const [program = '', ...args] = line.split(' ');
  return { program, args };
}
