// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { SpoorProcess } from '../spoor-process.ts';
import { codeBlocks, readDocument, type CodeBlock } from './code-blocks.ts';
import { runCommand } from './run-command.ts';
import { SDKS, runWithSdk, whySkipped, type Sdk } from './sdk.ts';

// Run here: the four programs of the README, the first span of the guide with curl, the load
// generator; the examples of a configuration are validated, and so are the keys of the README's
// ports. Not run: the commands that install packages (the same SDKs are installed from the locks
// beside this file), and the guide's instrumentation of an application as it is, whose packages
// are some hundred MB.

const MAIN = fileURLToPath(new URL('../../../server/src/main.ts', import.meta.url));
const README = readDocument('README.md');
const GUIDE = readDocument('docs/guide/first-trace.md');

const PROGRAMS: Readonly<Record<Sdk['name'], string>> = {
  node: 'hello.mjs',
  go: 'main.go',
  python: 'hello.py',
  java: 'Hello.java',
};

let server: SpoorProcess;
before(async () => {
  server = await SpoorProcess.start({ sets: ['storage.type=memory'] });
});
after(async () => {
  await server[Symbol.asyncDispose]();
});

function blockOf(document: string, file: string): CodeBlock {
  const block = codeBlocks(document).find((one) => one.file === file);
  assert.ok(block, `a code block with ${file} in its first line`);
  return block;
}

async function assertGreeting(service: string): Promise<void> {
  const answer = await server.query(`/api/traces?service=${service}&tag=greeting:你好`);
  // Only these members are looked at.
  const { data } = (await answer.json()) as { data: { spans: { operationName: string }[] }[] };
  assert.deepEqual(
    data.map((trace) => trace.spans.map((span) => span.operationName)),
    [['say hello']],
  );
}

/** With what the configurations of the README take from the environment. */
function runSpoor(...args: string[]): Promise<string> {
  const env = { QUERY_TOKEN: 'a-token-of-32-letters-and-more-0001' };
  return runCommand({ program: process.execPath, args: [MAIN, ...args], env });
}

for (const sdk of SDKS) {
  test(
    `the first trace of the README comes from ${sdk.name}`,
    { skip: whySkipped(sdk) },
    async () => {
      const file = PROGRAMS[sdk.name];
      // Java's default is gRPC; the others use HTTP.
      const grpc = sdk.name === 'java';
      const output = await runWithSdk(sdk, {
        file,
        text: blockOf(README, file).text,
        env: {
          OTEL_SERVICE_NAME: `hello-${sdk.name}`,
          OTEL_EXPORTER_OTLP_ENDPOINT: grpc
            ? `http://${server.otlpGrpcAddress}`
            : server.otlpHttpUrl,
          // As the README says for Java.
          ...(grpc ? { OTEL_METRICS_EXPORTER: 'none', OTEL_LOGS_EXPORTER: 'none' } : {}),
        },
      });
      assert.equal(output, '');
      await assertGreeting(`hello-${sdk.name}`);
    },
  );
}

test('the first span of the guide comes from curl', async () => {
  const { text } = blockOf(GUIDE, 'first-span.sh');
  const script = text.replace('http://localhost:4318', server.otlpHttpUrl);
  assert.notEqual(script, text);
  assert.equal(await runCommand({ program: 'bash', args: ['-euc', script] }), '{}');
  await assertGreeting('hello-curl');
});

test('the test load of the README arrives whole', async () => {
  assert.match(README, /^npm run spoor -- tracegen$/m);
  const output = await runSpoor('tracegen', '--json', '--endpoint', server.otlpHttpUrl);
  assert.equal((JSON.parse(output) as { ackedSpans: number }).ackedSpans, 10_000);
});

test('the configurations of the README and the guide are valid', async () => {
  const blocks = [README, GUIDE]
    .flatMap(codeBlocks)
    // The other kind is for a collector.
    .filter(({ language, text }) => language === 'yaml' && !text.startsWith('exporters:'));
  assert.ok(blocks.length > 0);
  const directory = mkdtempSync(join(tmpdir(), 'spoor-config-'));
  try {
    const file = join(directory, 'spoor.yaml');
    for (const { text } of blocks) {
      writeFileSync(file, text);
      await runSpoor('config', 'validate', '--config', file);
    }
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test('the ports of the README are the ones of the configuration', async () => {
  const printed = await runSpoor('config', 'print');
  const rows = [...README.matchAll(/^\| (\d+) +\|.*\| `([a-z_.]+\.endpoint)` +\|$/gm)];
  assert.equal(rows.length, printed.match(/^ *endpoint:/gm)?.length);
  for (const [, port = '', key = ''] of rows) {
    assert.match(printed, new RegExp(`^ *endpoint: 127\\.0\\.0\\.1:${port}$`, 'm'));
    await runSpoor('config', 'validate', '--set', `${key}=127.0.0.1:0`);
  }
});
