// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { GO, JAVA, NODE, runWithTools, whySkipped } from './sdk/sdk.ts';
import { SpoorProcess } from './spoor-process.ts';

const STRATEGIES = {
  default_strategy: { type: 'probabilistic', param: 0 },
  service_strategies: [
    {
      service: 'shop',
      type: 'probabilistic',
      param: 1,
      operation_strategies: [{ operation: '/health', type: 'probabilistic', param: 0 }],
    },
  ],
};

/** Where a server listens, by the names of its listeners. */
type Addresses = SpoorProcess['addresses'];

/** Programs that sample until all is as the strategies say, and the folder that says which packages they need. */
const PROGRAMS = {
  "Jaeger's client for Node": {
    tools: NODE,
    file: 'samplers/node/sampler.mjs',
    packages: 'clients/node',
    address: ({ sampling_http: http }: Addresses) => [new URL(http!).hostname, new URL(http!).port],
  },
  "OpenTelemetry's remote sampler for Go": {
    tools: GO,
    file: 'samplers/go/main.go',
    packages: 'samplers/go',
    address: ({ sampling_http: http }: Addresses) => [`${http}/sampling`],
  },
  "OpenTelemetry's remote sampler for Java": {
    tools: JAVA,
    file: 'samplers/java/RemoteSampler.java',
    packages: 'sdk/java',
    // On the port of spans, and on the one for this alone.
    address: (all: Addresses) => [`http://${all['jaeger_grpc']},http://${all['sampling_grpc']}`],
  },
};

for (const [name, { tools, file, packages, address }] of Object.entries(PROGRAMS)) {
  test(`${name} samples as it is told`, { skip: whySkipped(tools) }, async () => {
    await using directory = await mkdtempDisposable(join(tmpdir(), 'spoor-'));
    const path = join(directory.path, 'strategies.json');
    await writeFile(path, JSON.stringify(STRATEGIES));
    await using server = await SpoorProcess.start({ sets: [`sampling.strategies_file=${path}`] });
    const program = {
      file: basename(file),
      text: readFileSync(join(import.meta.dirname, file), 'utf8'),
      args: [...address(server.addresses), 'shop', '/pay', '/health'],
    };
    const output = await runWithTools(tools, join(import.meta.dirname, packages), program);
    assert.equal(output, 'as told\n');
  });
}
