// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import {
  expectedJaeger,
  expectedOtlp,
  withSortedAttributes,
  type SentTrace,
} from './sdk/expected-trace.ts';
import { SDKS, readClient, runWithSdk, whySkipped } from './sdk/sdk.ts';
import { SpoorProcess } from './spoor-process.ts';

const directory = mkdtempSync(join(tmpdir(), 'spoor-sdk-'));
let server: SpoorProcess;
/** What must be read back, by path. */
const expected = new Map<string, unknown>();

before(async () => {
  server = await SpoorProcess.start({ directory });
});
after(async () => {
  await server[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true });
});

async function answer(path: string): Promise<unknown> {
  const response = await server.query(path);
  assert.equal(response.status, 200, path);
  return await response.json();
}

for (const sdk of SDKS) {
  const skip = whySkipped(sdk);
  test(`spans of the ${sdk.name} SDK are read back exactly`, { skip }, async () => {
    // Nanoseconds that neither ms nor µs nor a double can hold.
    const start = BigInt(Date.now() - 1000) * 1_000_000n + 123_457n;
    const targets = sdk.transports.map((transport) =>
      transport.startsWith('grpc')
        ? `${transport}=http://${server.otlpGrpcAddress}`
        : `${transport}=${server.otlpHttpUrl}/v1/traces`,
    );
    const output = await runWithSdk(sdk, {
      file: sdk.client,
      text: readClient(sdk),
      args: [String(start), ...targets],
    });
    // The clients print one such object for each transport.
    const lines = output.trim().split('\n');
    const traces = lines.map((line) => JSON.parse(line) as SentTrace);
    assert.deepEqual(
      traces.map((sent) => sent.transport),
      sdk.transports,
    );
    for (const sent of traces) {
      const answers = [
        [`/api/v3/traces/${sent.traceId}`, expectedOtlp(sdk, sent, start)],
        [`/api/traces/${sent.traceId}`, expectedJaeger(sdk, sent, start)],
      ] as const;
      for (const [path, wanted] of answers) {
        assert.deepEqual(withSortedAttributes(await answer(path)), wanted, sent.transport);
        expected.set(path, wanted);
      }
    }
    // A search finds the same traces; of its answer only the ids are looked at.
    const found = (await answer(
      `/api/traces?service=cast-${sdk.name}&tag=text.cjk:${encodeURIComponent('余额不足')}`,
    )) as { data: { traceID: string }[] };
    assert.deepEqual(
      found.data.map((trace) => trace.traceID).toSorted(),
      traces.map((sent) => sent.traceId).toSorted(),
    );
  });
}

test('the spans of all SDKs are the same after a restart', async () => {
  assert.equal((await server.stop()).code, 0);
  server = await SpoorProcess.start({ directory });
  for (const [path, wanted] of expected) {
    assert.deepEqual(withSortedAttributes(await answer(path)), wanted, path);
  }
});
