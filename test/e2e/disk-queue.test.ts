// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { freePort } from './free-port.ts';
import { SpoorProcess } from './spoor-process.ts';
import { until } from './until.ts';

const REQUESTS = 200;
const SPANS = 5;
const SENDERS = 8;

/** A request of one trace. */
interface TraceRequest {
  readonly traceId: string;
  readonly body: string;
}

function traceRequest(): TraceRequest {
  const traceId = randomBytes(16).toString('hex');
  const startNs = BigInt(Date.now() - 1000) * 1_000_000n;
  const spans = Array.from({ length: SPANS }, (_, i) => ({
    traceId,
    spanId: randomBytes(8).toString('hex'),
    name: `step ${i}`,
    startTimeUnixNano: String(startNs),
    endTimeUnixNano: String(startNs + 1_000_000n),
    attributes: [{ key: 'filler', value: { stringValue: 'x'.repeat(500) } }],
  }));
  const resource = { attributes: [{ key: 'service.name', value: { stringValue: 'shop' } }] };
  return {
    traceId,
    body: JSON.stringify({ resourceSpans: [{ resource, scopeSpans: [{ spans }] }] }),
  };
}

/**
 * Sends requests, several at a time, until all are acknowledged or the process is gone.
 * @returns those that were not acknowledged
 */
async function sendAll(
  agent: SpoorProcess,
  requests: readonly TraceRequest[],
  onSent?: (count: number) => void,
): Promise<TraceRequest[]> {
  const left = [...requests];
  const failed: TraceRequest[] = [];
  let count = 0;
  const sender = async (): Promise<void> => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) {
      try {
        const answer = await agent.send(next.body);
        await answer.text();
        assert.equal(answer.status, 200);
        onSent?.(++count);
      } catch (error) {
        if (error instanceof assert.AssertionError) throw error;
        failed.push(next);
      }
    }
  };
  await Promise.all(Array.from({ length: SENDERS }, sender));
  return failed;
}

/** A metric of a process. */
async function metric(server: SpoorProcess, name: string): Promise<number> {
  const text = await (await fetch(`${server.healthUrl}/metrics`)).text();
  const line = text
    .split('\n')
    .find((one) => one.startsWith(`${name}{`) || one.startsWith(`${name} `));
  return Number(line?.split(' ').at(-1));
}

async function kill(server: SpoorProcess): Promise<void> {
  server.kill('SIGKILL');
  await server.end;
}

test('with a queue on disk all that was acknowledged is found once, whoever is killed when', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'spoor-e2e-'));
  const port = await freePort();
  const startStore = (): Promise<SpoorProcess> =>
    SpoorProcess.start({
      directory: join(directory, 'store'),
      sets: [`receivers.otlp.protocols.grpc.endpoint=127.0.0.1:${port}`],
    });
  const startAgent = (): Promise<SpoorProcess> =>
    SpoorProcess.start({
      directory,
      sets: [
        'query.http.enabled=false',
        `exporters.otlp.endpoint=http://127.0.0.1:${port}`,
        'exporters.otlp.sending_queue.enabled=true',
        'exporters.otlp.sending_queue.storage=disk',
        `exporters.otlp.sending_queue.directory=${join(directory, 'queue')}`,
        'exporters.otlp.retry_on_failure.max_interval=100ms',
        'exporters.otlp.circuit_breaker.open_interval=100ms',
        'exporters.otlp.circuit_breaker.max_open_interval=500ms',
        'service.pipelines.traces.exporters=[otlp]',
      ],
    });
  const requests = Array.from({ length: REQUESTS }, traceRequest);
  try {
    // The store is down, and the agent is killed while it takes spans.
    const first = await startAgent();
    const failed = await sendAll(first, requests, (count) => {
      if (count === REQUESTS / 2) first.kill('SIGKILL');
    });
    await first.end;
    assert.ok(failed.length > 0 && failed.length <= REQUESTS / 2);

    // What was not acknowledged comes again; the agent is killed again, with all of it on disk.
    const second = await startAgent();
    assert.deepEqual(await sendAll(second, failed), []);
    assert.ok((await metric(second, 'otelcol_exporter_queue_size')) > REQUESTS * SPANS * 500);
    await kill(second);

    // Both are back; then the store is killed when it has some.
    await using agent = await startAgent();
    const doomed = await startStore();
    await until('the store has some', async () => {
      return (await metric(agent, 'otelcol_exporter_sent_spans')) > 0;
    });
    await kill(doomed);
    await using store = await startStore();
    await until('all is sent', async () => {
      return (await metric(agent, 'otelcol_exporter_queue_size')) === 0;
    });
    for (const { traceId } of requests) {
      const answer = await store.query(`/api/traces/${traceId}`);
      assert.equal(answer.status, 200, traceId);
      // The route answers with this shape.
      const { data } = (await answer.json()) as { data: { spans: { operationName: string }[] }[] };
      assert.deepEqual(
        data[0]?.spans.map(({ operationName }) => operationName).sort(),
        Array.from({ length: SPANS }, (_, i) => `step ${i}`),
      );
    }
    assert.deepEqual(await agent.stop(), { code: 0, signal: null });
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});
