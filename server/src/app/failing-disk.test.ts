// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadConfig } from '#config/load-config.ts';
import { freePorts } from '#config/testing/free-ports.ts';
import { FaultyFiles } from '#storage/columnar/testing/faulty-files.ts';
import { storeOnFaulty } from '#storage/columnar/testing/store-fixture.ts';
import { createLogger } from '#telemetry/logger.ts';
import { buildComponents } from './components.ts';
import { SpoorServer } from './spoor-server.ts';
import type { Addresses } from './status.ts';

/** Lets `use` work with a whole server whose store lies on these files. */
async function withServer(
  files: FaultyFiles,
  use: (addresses: Addresses) => Promise<void>,
): Promise<void> {
  const config = loadConfig({
    env: {},
    sets: ['receivers.otlp.protocols.grpc.enabled=false', ...freePorts()],
  });
  const logger = createLogger('silent');
  const components = buildComponents(config, logger, '1.2.3', storeOnFaulty(files));
  const server = new SpoorServer(components, logger);
  try {
    await use(await server.start());
  } finally {
    await server.shutdown();
  }
}

function send(addresses: Addresses, name: string): Promise<Response> {
  const nowNanos = BigInt(Date.now()) * 1_000_000n;
  const span = {
    traceId: 'ab'.repeat(16),
    spanId: Buffer.from(name.padEnd(8)).toString('hex'),
    name,
    startTimeUnixNano: String(nowNanos),
    endTimeUnixNano: String(nowNanos + 1000n),
  };
  return fetch(`${addresses['otlp_http']}/v1/traces`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: [span] }] }] }),
  });
}

/** Names of the spans that the API finds. */
async function found(addresses: Addresses): Promise<string[]> {
  const answer = await fetch(`${addresses['query']}/api/traces/${'ab'.repeat(16)}`);
  assert.equal(answer.status, 200);
  // The routes answer with this shape.
  const { data } = (await answer.json()) as { data: { spans: { operationName: string }[] }[] };
  return data.flatMap(({ spans }) => spans.map(({ operationName }) => operationName)).sort();
}

async function assertRefused(addresses: Addresses, name: string, reason: RegExp): Promise<void> {
  const refused = await send(addresses, name);
  assert.equal(refused.status, 503);
  assert.ok(Number(refused.headers.get('retry-after')) >= 1);
  const ready = await fetch(`${addresses['health']}/ready`);
  assert.equal(ready.status, 503);
  assert.match(await ready.text(), reason);
}

test('after a failed sync the server refuses spans for good, says so, and goes on answering', async () => {
  const files = new FaultyFiles();
  await withServer(files, async (addresses) => {
    assert.equal((await send(addresses, 'first')).status, 200);
    files.failEach('fdatasync', 'EIO');
    await assertRefused(addresses, 'second', /a write failed, so nothing is taken/);
    // The disk seems well again, but what it wrote of the second is not known.
    files.heal();
    const syncs = files.log.filter((call) => call.startsWith('fdatasync')).length;
    await assertRefused(addresses, 'third', /a write failed, so nothing is taken/);
    assert.equal(files.log.filter((call) => call.startsWith('fdatasync')).length, syncs);
    assert.deepEqual(await found(addresses), ['first']);
  });
  await withServer(files.powerLoss({ keep: 'nothing' }), async (addresses) => {
    assert.deepEqual(await found(addresses), ['first']);
    assert.equal((await send(addresses, 'fourth')).status, 200);
    assert.deepEqual(await found(addresses), ['first', 'fourth']);
  });
});

test('on a full disk the server refuses spans until there is room, and goes on answering', async () => {
  const files = new FaultyFiles();
  files.capacityBytes = 1 << 20;
  await withServer(files, async (addresses) => {
    assert.equal((await send(addresses, 'first')).status, 200);
    const { freeBytes } = await files.space();
    files.put('/data/filler', new Uint8Array(freeBytes - 100));
    while ((await fetch(`${addresses['health']}/ready`)).status === 200);
    await assertRefused(addresses, 'second', /are free on its disk/);
    assert.deepEqual(await found(addresses), ['first']);
    files.remove('/data/filler');
    while ((await fetch(`${addresses['health']}/ready`)).status !== 200);
    assert.equal((await send(addresses, 'second')).status, 200);
    assert.deepEqual(await found(addresses), ['first', 'second']);
  });
});

test('a damaged block is in the status, in the metrics and left out of the answers', async () => {
  const files = new FaultyFiles();
  await withServer(files, async (addresses) => {
    assert.equal((await send(addresses, 'first')).status, 200);
  });
  const store = storeOnFaulty(files);
  await store.start();
  await store.settle();
  await store.shutdown();
  const path = files.paths().find((name) => name.endsWith('.block'))!;
  files.put(path, new Uint8Array(0));
  await withServer(files, async (addresses) => {
    assert.equal((await send(addresses, 'second')).status, 200);
    assert.deepEqual(await found(addresses), ['second']);
    assert.equal((await fetch(`${addresses['health']}/ready`)).status, 200);
    // The shape is checked by the assertions.
    const status = (await (await fetch(`${addresses['health']}/status`)).json()) as {
      damage: { path: string; message: string }[];
    };
    assert.equal(status.damage.length, 1);
    assert.equal(status.damage[0]!.path, path);
    assert.match(status.damage[0]!.message, /left out of all answers: .* it has 0 bytes, and was/);
    const metrics = await (await fetch(`${addresses['health']}/metrics`)).text();
    assert.match(metrics, /^spoor_store_damaged_files 1$/m);
    assert.match(metrics, /^spoor_store_damaged_blocks 1$/m);
  });
});
