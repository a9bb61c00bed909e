// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { mkdtempDisposableSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { runCli } from './cli.ts';

const GUIDES = new URL('../../../docs/guide/', import.meta.url);

/** A file of Jaeger 2, which readers have themselves. */
const JAEGER_FILE = `
service:
  extensions: [jaeger_storage, jaeger_query]
  pipelines: { traces: { receivers: [otlp], exporters: [jaeger_storage_exporter] } }
extensions:
  jaeger_storage: { backends: { spans: { badger: } } }
  jaeger_query: { storage: { traces: spans } }
receivers: { otlp: { protocols: { grpc: } } }
exporters: { jaeger_storage_exporter: { trace_storage: spans } }
`;

/** The blocks of a guide in a language. */
function blocksOf(guide: string, language: string): string[] {
  return [...guide.matchAll(/^```(\w+)\n(.*?)^```$/gms)]
    .filter(([, name]) => name === language)
    .map(([, , text = '']) => text);
}

for (const name of ['deployment', 'replacing-jaeger', 'replacing-zipkin']) {
  test(`every command of the guide ${name} has a configuration that is valid`, async () => {
    using directory = mkdtempDisposableSync(join(tmpdir(), 'spoor-guide-'));
    const guide = readFileSync(new URL(`${name}.md`, GUIDES), 'utf8');
    writeFileSync(join(directory.path, 'jaeger.yaml'), JAEGER_FILE);
    for (const text of blocksOf(guide, 'yaml')) {
      const [, file] = /^# (\S+\.yaml)\n/.exec(text) ?? [];
      if (file !== undefined) writeFileSync(join(directory.path, file), text);
    }
    const commands = blocksOf(guide, 'sh').flatMap((text) => [
      ...text.replaceAll('\\\n', ' ').matchAll(/^((?:[A-Z_]+=\S+ +)*)spoor( [^#\n]*)?/gm),
    ]);
    assert.ok(commands.length > 0);
    for (const [command, variables = '', options = ''] of commands) {
      const env = Object.fromEntries(
        variables
          .split(' ')
          .filter((part) => part !== '')
          .map((part) => part.split('=', 2)),
      ) as Record<string, string>;
      const words = options
        .split(' ')
        .filter((word) => word !== '')
        .map((word) => (word.endsWith('.yaml') ? join(directory.path, word) : word));
      let output = '';
      const print = (text: string): void => {
        output += text;
      };
      const code = await runCli(['config', 'validate', ...words], { env, out: print, err: print });
      assert.deepEqual([code, output], [0, 'The configuration is valid.\n'], command);
    }
  });
}
