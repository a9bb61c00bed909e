// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { SpoorProcess } from './spoor-process.ts';

const MAIN = fileURLToPath(new URL('../../server/bin/spoor.js', import.meta.url));
const TRACE_ID = '4bf92f3577b34da6a3ce929d0e0e4736';

function traceRequest(traceId: string): string {
  const startMs = BigInt(Date.now() - 1000);
  return JSON.stringify({
    resourceSpans: [
      {
        resource: { attributes: [{ key: 'service.name', value: { stringValue: 'shop' } }] },
        scopeSpans: [
          {
            spans: [
              {
                traceId,
                spanId: '00f067aa0ba902b7',
                name: 'GET /cart',
                kind: 2,
                startTimeUnixNano: String(startMs * 1_000_000n),
                endTimeUnixNano: String(startMs * 1_000_000n + 2_500_000n),
                attributes: [{ key: 'http.status_code', value: { intValue: '500' } }],
                status: { code: 2, message: 'no stock' },
              },
            ],
          },
        ],
      },
    ],
  });
}

interface JaegerAnswer {
  readonly data: { readonly traceID: string; readonly spans: { operationName: string }[] }[];
}

async function readBack(server: SpoorProcess): Promise<void> {
  const json = async (path: string): Promise<unknown> => {
    const answer = await server.query(path);
    assert.equal(answer.status, 200, path);
    return await answer.json();
  };
  assert.deepEqual(await json('/api/services'), {
    data: ['shop'],
    total: 1,
    limit: 0,
    offset: 0,
    errors: null,
  });
  const search = '/api/traces?service=shop&operation=GET+%2Fcart&tag=http.status_code:500';
  for (const path of [
    `/api/traces/${TRACE_ID}`,
    `${search}&tag=error:true&tag=span.kind:server&minDuration=2ms&maxDuration=3ms`,
  ]) {
    // The routes answer with this shape; its parts are asserted below.
    const { data } = (await json(path)) as JaegerAnswer;
    assert.equal(data.length, 1, path);
    assert.equal(data[0]?.traceID, TRACE_ID);
    assert.deepEqual(
      data[0]?.spans.map((span) => span.operationName),
      ['GET /cart'],
    );
  }
  const none = (await json(`${search}&tag=error:false`)) as JaegerAnswer;
  assert.deepEqual(none.data, []);
}

test('a trace is found at once, and again after a restart', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'spoor-e2e-'));
  try {
    {
      await using server = await SpoorProcess.start({ directory });
      const answer = await server.send(traceRequest(TRACE_ID));
      assert.equal(answer.status, 200);
      assert.deepEqual(await answer.json(), {});
      await readBack(server);
      assert.deepEqual(await server.stop(), { code: 0, signal: null });
      assert.equal(server.stderr, '');
      assert.deepEqual(
        // The page need not be built for this.
        server.log.filter(({ level, msg }) => level !== 'info' && !/page has not been/.test(msg)),
        [],
      );
      assert.equal(server.log.at(-1)?.msg, 'stopped');
    }
    await using server = await SpoorProcess.start({ directory });
    await readBack(server);
    assert.equal((await server.stop()).code, 0);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test('health, status and metrics tell of a running server', async () => {
  await using server = await SpoorProcess.start({ sets: ['storage.type=memory'] });
  await server.send(traceRequest(TRACE_ID));
  for (const path of ['/ready', '/live', '/health']) {
    assert.equal((await fetch(server.healthUrl + path)).status, 200, path);
  }
  // The shape is this project's own; the asserted members are what operators rely on.
  const status = (await (await fetch(`${server.healthUrl}/status`)).json()) as {
    ready: boolean;
    addresses: Record<string, string>;
    receivers: { acceptedSpans: number }[];
  };
  assert.equal(status.ready, true);
  assert.equal(status.addresses['query'], server.queryUrl);
  assert.equal(
    status.receivers.reduce((total, receiver) => total + receiver.acceptedSpans, 0),
    1,
  );
  for (const url of [server.healthUrl, server.queryUrl]) {
    const text = await (await fetch(`${url}/metrics`)).text();
    assert.match(text, /^otelcol_receiver_accepted_spans\{receiver="otlp",transport="http"\} 1$/m);
  }
});

/** A request whose body the server waits for; `answer` has what came back so far. */
async function beginRequest(
  server: SpoorProcess,
  body: string,
): Promise<{ socket: Socket; answer: () => string; closed: Promise<unknown> }> {
  const { hostname, port } = new URL(server.otlpHttpUrl);
  const socket = connect(Number(port), hostname);
  let answer = '';
  socket.setEncoding('utf8').on('data', (text: string) => (answer += text));
  socket.on('error', () => undefined);
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.write(
    'POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n' +
      `Content-Length: ${body.length}\r\nExpect: 100-continue\r\n\r\n`,
  );
  while (!answer.includes('100 Continue')) {
    await new Promise((resolve) => socket.once('data', resolve));
  }
  return { socket, answer: () => answer, closed };
}

async function untilDraining(server: SpoorProcess): Promise<string> {
  for (;;) {
    const answer = await fetch(`${server.healthUrl}/ready`);
    if (answer.status === 503) return await answer.text();
  }
}

test('a request under way is finished when the server is told to stop', async () => {
  await using server = await SpoorProcess.start({ sets: ['storage.type=memory'] });
  const body = traceRequest(TRACE_ID);
  const { socket, answer, closed } = await beginRequest(server, body);
  server.kill('SIGTERM');
  assert.match(await untilDraining(server), /^stopping: /);
  await assert.rejects(fetch(server.queryUrl));
  socket.write(body);
  assert.deepEqual(await server.end, { code: 0, signal: null });
  await closed;
  assert.match(answer(), /HTTP\/1\.1 200 OK/);
});

test('a second signal ends the server at once', async () => {
  await using server = await SpoorProcess.start({ sets: ['storage.type=memory'] });
  const { closed } = await beginRequest(server, 'never sent');
  server.kill('SIGINT');
  await untilDraining(server);
  server.kill('SIGINT');
  assert.equal((await server.end).code, 1);
  await closed;
});

test('an address in use is told by its key, and the server ends with 1', async () => {
  const other = createServer();
  await new Promise<void>((resolve) => {
    other.listen(0, '127.0.0.1', resolve);
  });
  const address = other.address();
  assert.ok(typeof address === 'object' && address !== null);
  const { port } = address;
  try {
    for (const key of [
      'receivers.otlp.protocols.grpc.endpoint',
      'receivers.otlp.protocols.http.endpoint',
      'query.http.endpoint',
      'telemetry.health.endpoint',
    ]) {
      await assert.rejects(
        SpoorProcess.start({ sets: ['storage.type=memory', `${key}=127.0.0.1:${port}`] }),
        (error: Error) => {
          assert.match(error.message, /^spoor ended with 1 before it was ready/);
          const told = `spoor: ${key}: port ${port} is in use by another process\n`;
          assert.ok(error.message.includes(told), error.message);
          return true;
        },
      );
    }
  } finally {
    other.close();
  }
});

test('a wrong option ends with 2 and says what was meant', () => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, '--confg', 'x'], {
    encoding: 'utf8',
  });
  assert.equal(status, 2);
  assert.equal(stdout, '');
  assert.equal(stderr, 'spoor: unknown option "--confg"; did you mean --config?\n');
});
