// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { test } from 'node:test';
import { until } from '#receivers/testing/receiver-test-bed.ts';
import { HttpListener, type HttpHandler, type HttpListenerSettings } from './http-listener.ts';
import type { Refusal } from './refusal.ts';

const SETTINGS: HttpListenerSettings = {
  host: '127.0.0.1',
  port: 0,
  tls: undefined,
  maxConnections: 10,
  maxHeaderBytes: 8192,
  headersTimeoutMs: 10_000,
  bodyIdleTimeoutMs: 10_000,
  requestTimeoutMs: 10_000,
  keepAliveTimeoutMs: 10_000,
};
const GET = 'GET / HTTP/1.1\r\nhost: x\r\n\r\n';

interface Bed extends AsyncDisposable {
  readonly listener: HttpListener;
  readonly refusals: Refusal[];
  connect(): net.Socket;
}

async function start(handler: HttpHandler, settings: Partial<HttpListenerSettings>): Promise<Bed> {
  const refusals: Refusal[] = [];
  const pass = (): void => undefined;
  const listener = new HttpListener(
    'test',
    { ...SETTINGS, ...settings },
    handler,
    (refusal) => refusals.push(refusal),
    { info: pass, warn: pass, error: pass },
  );
  await listener.start();
  const { port } = listener.address!;
  return {
    listener,
    refusals,
    connect: () => net.connect({ host: '127.0.0.1', port }).on('error', pass),
    [Symbol.asyncDispose]: () => listener.shutdown(1000),
  };
}

test('a connection with too many requests before an answer is closed, and one with many is not', async () => {
  let taken = 0;
  let answer = (): void => undefined;
  await using bed = await start((exchange) => {
    taken++;
    const before = answer;
    answer = () => {
      before();
      exchange.answer(204, [], '');
    };
    if (taken === 90) answer();
  }, {});
  const many = bed.connect();
  many.write(GET.repeat(90));
  let text = '';
  for await (const piece of many) {
    text += String(piece);
    if (text.split('204 No Content').length === 91) break;
  }
  assert.equal(bed.refusals.length, 0);
  const tooMany = bed.connect();
  tooMany.resume();
  tooMany.write(GET.repeat(1000));
  await once(tooMany, 'close');
  assert.equal(taken, 190);
  assert.deepEqual(
    bed.refusals.map(({ reason }) => reason),
    ['bad_http'],
  );
});

test('a connection whose client does not take its answer is closed', async () => {
  await using bed = await start(
    (exchange) => exchange.answer(200, [], Buffer.alloc(32 * 1024 * 1024)),
    { bodyIdleTimeoutMs: 50 },
  );
  const silent = bed.connect().pause();
  silent.write(GET);
  await until(() => bed.listener.connections.open === 1);
  await until(() => bed.listener.connections.open === 0);
  silent.destroy();
});

test('a refused body that is too large to be dropped ends its connection once', async () => {
  const finishing: number[] = [];
  await using bed = await start((exchange) => {
    const { socket } = exchange.request;
    exchange.answer(503, [], '');
    exchange.request.on('data', () => finishing.push(socket.listenerCount('finish')));
  }, {});
  const client = bed.connect();
  client.write('POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n');
  const piece = Buffer.concat([
    Buffer.from('10000\r\n'),
    Buffer.alloc(65_536),
    Buffer.from('\r\n'),
  ]);
  for (let i = 0; i < 64; i++) client.write(piece);
  // It may be told first that it cannot write any more.
  await new Promise((resolve) => client.resume().on('close', resolve));
  const [least, most] = [Math.min(...finishing), Math.max(...finishing)];
  assert.ok(most <= least + 1, `${least} to ${most} listeners`);
});

test('a request without Host, and one with an expectation that is not known, are refused with a status', async () => {
  await using bed = await start((exchange) => exchange.answer(204, [], ''), {});
  for (const [header, status, message] of [
    ['connection: close', '400 Bad Request', 'a request in HTTP/1.1 must have a Host header'],
    [
      'host: x\r\nconnection: close\r\nexpect: foo',
      '417 Expectation Failed',
      'expectation "foo" is not known, only 100-continue',
    ],
  ] as const) {
    const client = bed.connect();
    client.write(`GET / HTTP/1.1\r\n${header}\r\n\r\n`);
    let answer = '';
    for await (const piece of client) answer += String(piece);
    const [head, body] = answer.split('\r\n\r\n') as [string, string];
    assert.ok(head.startsWith(`HTTP/1.1 ${status}\r\n`), head);
    assert.match(head, /\r\ncontent-type: application\/json\r\n/i);
    assert.deepEqual(JSON.parse(body), { code: 3, message });
  }
  assert.deepEqual(
    bed.refusals.map(({ reason, httpStatus }) => [reason, httpStatus]),
    [
      ['bad_http', 400],
      ['bad_http', 417],
    ],
  );
  const old = bed.connect();
  old.write('GET / HTTP/1.0\r\n\r\n');
  assert.match(String(await once(old, 'data')), /^HTTP\/1.1 204 /);
});

test(
  'requests that are refused by their head count as any other',
  { timeout: 20_000 },
  async () => {
    for (const head of ['', 'host: x\r\nexpect: foo\r\n']) {
      const { promise: taken, resolve: take } = Promise.withResolvers<void>();
      // The first one is not answered, so that all others wait.
      await using bed = await start(() => take(), {});
      const client = bed.connect();
      client.write(GET);
      await taken;
      client.resume().write(`GET / HTTP/1.1\r\n${head}\r\n`.repeat(1000));
      await once(client, 'close');
      assert.equal(bed.refusals.length, 100);
      assert.match(bed.refusals.at(-1)!.message, /^more than 100 requests on a connection/);
    }
  },
);

test('a request that is refused by its head sets right what the one before left', async () => {
  const bodies: string[] = [];
  const received = Promise.withResolvers<void>();
  await using bed = await start((exchange) => {
    if (exchange.request.url === '/refused') {
      exchange.answer(503, [], '');
      return;
    }
    exchange.request.setEncoding('latin1');
    exchange.request.on('data', (piece: string) => bodies.push(piece));
    exchange.request.on('end', () => {
      exchange.answer(204, [], '');
      received.resolve();
    });
  }, {});
  const client = bed.connect();
  client.write('POST /refused HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\n\r\na');
  await once(client, 'data');
  client.write('bcdPOST / HTTP/1.1\r\ncontent-length: 4\r\n\r\na');
  const answer = String(await once(client, 'data'));
  assert.match(answer, /^HTTP\/1.1 400 Bad Request\r\n/);
  // Its own body is dropped as well, and the connection goes on.
  assert.doesNotMatch(answer, /\r\nconnection: close\r\n/i);
  client.write('bcdPOST /taken HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\n\r\nabcd');
  await received.promise;
  client.destroy();
  assert.deepEqual(bodies, ['abcd']);
});
