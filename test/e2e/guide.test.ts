// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { SpoorProcess } from './spoor-process.ts';

const GUIDE = fileURLToPath(new URL('../../docs/guide/query-api.md', import.meta.url));

/** A command of the guide, and the JSON that it says will come. */
interface Example {
  readonly command: string;
  readonly answer: unknown;
}

function readExamples(): Example[] {
  const blocks = [...readFileSync(GUIDE, 'utf8').matchAll(/^```(\w+)\n(.*?)^```$/gms)];
  assert.equal(blocks.length % 2, 0);
  return Array.from({ length: blocks.length / 2 }, (_, i) => {
    const [[, language, command], [, answerLanguage, answer]] = [
      blocks[2 * i]!,
      blocks[2 * i + 1]!,
    ];
    assert.deepEqual([language, answerLanguage], ['sh', 'json'], `${command}`);
    return { command: command!, answer: JSON.parse(answer!) };
  });
}

test('every example of the guide to the query API answers as the guide says', async () => {
  const examples = readExamples();
  assert.ok(examples.length >= 10);
  await using server = await SpoorProcess.start();
  for (const { command, answer } of examples) {
    const here = command
      .replaceAll('http://localhost:16686', server.queryUrl)
      .replaceAll('http://localhost:4318', server.otlpHttpUrl);
    const output = execFileSync('bash', ['-euo', 'pipefail', '-c', here], { encoding: 'utf8' });
    assert.deepEqual(JSON.parse(output), answer, command);
  }
});
