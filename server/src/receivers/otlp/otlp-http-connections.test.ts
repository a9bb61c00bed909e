// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import { test } from 'node:test';
import { AT_ONCE_BYTES } from '#net/body-buffer.ts';
import type { IngestResult } from '#pipeline/trace-ingest.ts';
import {
  exchangeRaw,
  pattern,
  send,
  startHttp,
  until,
  type HttpAnswer,
} from '#receivers/testing/receiver-test-bed.ts';

const PROTO = { 'content-type': 'application/x-protobuf' };
const MIB = 1024 * 1024;

test('a large refused body is not read to its end: the answer comes and the connection closes', async () => {
  await using bed = await startHttp({}, 1 * MIB);
  const lease = bed.budget.reserve(MIB - 1000);
  const body = Buffer.alloc(8 * MIB);
  const text = await new Promise<string>((resolve, reject) => {
    let got = '';
    const socket = net.connect({ host: '127.0.0.1', port: bed.port }, () => {
      socket.write(
        `POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-protobuf\r\n`,
      );
      socket.write(`content-length: ${9 * MIB}\r\n\r\n`);
      socket.write(body);
    });
    socket.on('data', (piece) => {
      got += piece.toString('latin1');
    });
    // The server may close while the rest is under way; the answer was read before.
    socket.on('error', (error) => (got === '' ? reject(error) : resolve(got)));
    socket.on('close', () => resolve(got));
  });
  assert.match(text, /^HTTP\/1\.1 413 /);
  assert.match(text, /connection: close/i);
  lease?.release();
  assert.equal(bed.budget.figures.usedBytes, 0);
});

test('a client that goes away in the middle of its body gives its memory back', async () => {
  await using bed = await startHttp();
  const aborted = new Promise<void>((resolve) => {
    const request = http.request({
      host: '127.0.0.1',
      port: bed.port,
      path: '/v1/traces',
      method: 'POST',
      headers: { ...PROTO, 'content-length': MIB },
    });
    request.on('error', () => resolve());
    request.write(Buffer.alloc(1000));
    void until(() => bed.budget.figures.usedBytes === AT_ONCE_BYTES).then(() => request.destroy());
  });
  const other = await send(bed.port, { headers: PROTO }, [Buffer.alloc(5000, 7)]);
  assert.equal(other.status, 200);
  await aborted;
  await until(() => bed.receiver.figures.otlp_proto.refusedRequests.aborted === 1);
  assert.equal(bed.budget.figures.leases, 0);
  assert.equal(bed.ingest.calls.length, 1);
});

test('senders that announce much and send little keep nobody out', async () => {
  await using bed = await startHttp({}, 4 * AT_ONCE_BYTES);
  const head = `POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-protobuf\r\n`;
  const slow = [1, 2, 3].map(() => {
    const socket = net.connect({ host: '127.0.0.1', port: bed.port });
    socket.write(`${head}content-length: ${2 * AT_ONCE_BYTES}\r\n\r\nx`);
    return socket;
  });
  await until(() => bed.budget.figures.leases === slow.length);
  const other = await send(bed.port, { headers: PROTO }, [Buffer.alloc(5000, 7)]);
  assert.equal(other.status, 200);
  for (const socket of slow) socket.destroy();
  await until(() => bed.budget.figures.leases === 0);
  assert.equal(bed.budget.figures.usedBytes, 0);
});

test('bodies that are slow in coming make room, and are taken when they have come', async () => {
  await using bed = await startHttp({}, 4 * AT_ONCE_BYTES);
  const body = pattern(AT_ONCE_BYTES, 3);
  const slow = [1, 2, 3, 4].map(() => {
    const request = http.request({
      host: '127.0.0.1',
      port: bed.port,
      path: '/v1/traces',
      method: 'POST',
      agent: false,
      headers: { ...PROTO, 'content-length': body.length },
    });
    request.write(body.subarray(0, 10_000));
    return request;
  });
  const ask = (): Promise<HttpAnswer> =>
    send(bed.port, { headers: PROTO }, [Buffer.alloc(5000, 7)]);
  await until(() => bed.budget.figures.usedBytes === bed.budget.limitBytes);
  assert.equal((await ask()).status, 503);
  bed.clock.aheadMs = 60_000;
  assert.equal((await ask()).status, 200);
  assert.ok(bed.budget.figures.usedBytes < AT_ONCE_BYTES);
  const answers = slow.map((request) => once(request, 'response'));
  for (const request of slow) request.end(body.subarray(10_000));
  for (const [response] of await Promise.all(answers)) assert.equal(response.statusCode, 200);
  for (const call of bed.ingest.calls.slice(1)) assert.deepEqual(call.body, body);
  await until(() => bed.budget.figures.leases === 0);
  assert.equal(bed.budget.figures.usedBytes, 0);
});

test('a client that goes away before its answer is gone, and only then', async () => {
  await using bed = await startHttp();
  await send(bed.port, { headers: PROTO }, [Buffer.from('x')]);
  let finish: (result: IngestResult) => void = () => undefined;
  bed.ingest.answer = () =>
    new Promise((resolve) => {
      finish = resolve;
    });
  const request = http.request({
    host: '127.0.0.1',
    port: bed.port,
    path: '/v1/traces',
    method: 'POST',
    headers: PROTO,
  });
  request.on('error', () => undefined);
  request.end('y');
  await bed.ingest.called(2);
  request.destroy();
  await until(() => bed.ingest.calls[1]?.sender?.isGone === true);
  assert.equal(bed.ingest.calls[0]?.sender?.isGone, false);
  // The body is still the store's until it answers.
  assert.equal(bed.budget.figures.leases, 1);
  finish({ accepted: 1, rejected: 0, message: '' });
  await until(() => bed.budget.figures.leases === 0);
});

test('Expect: 100-continue is answered before the body, with the refusal or with leave to send', async () => {
  await using bed = await startHttp({ bodyCapBytes: 10_000 });
  const expectContinue = (length: number): Promise<{ status: number; continued: boolean }> =>
    new Promise((resolve, reject) => {
      let continued = false;
      const request = http.request(
        {
          host: '127.0.0.1',
          port: bed.port,
          path: '/v1/traces',
          method: 'POST',
          agent: false,
          headers: { ...PROTO, 'content-length': length, expect: '100-continue' },
        },
        (response) => {
          response.resume();
          response.on('end', () => resolve({ status: response.statusCode ?? 0, continued }));
          request.destroy();
        },
      );
      request.on('error', reject);
      request.on('continue', () => {
        continued = true;
        request.end(Buffer.alloc(length));
      });
      request.flushHeaders();
    });
  assert.deepEqual(await expectContinue(9000), { status: 200, continued: true });
  assert.deepEqual(await expectContinue(11_000), { status: 413, continued: false });
  const other = await exchangeRaw(
    bed.port,
    'POST /v1/traces HTTP/1.1\r\nhost: x\r\nexpect: a-miracle\r\ncontent-length: 1\r\n\r\nx',
  );
  assert.match(other, /^HTTP\/1\.1 417 /);
  assert.match(other, /"message":"expectation \\"a-miracle\\" is not known/);
});

test('pipelined requests are answered in their order', async () => {
  await using bed = await startHttp();
  let turn = 0;
  bed.ingest.answer = async () => {
    // The first takes longest.
    for (let i = turn++; i < 3; i++) await new Promise((resolve) => setImmediate(resolve));
    return { accepted: 1, rejected: turn, message: 'x' };
  };
  const one = (close: string): string =>
    `POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n${close}content-length: 2\r\n\r\n{}`;
  const text = await exchangeRaw(bed.port, one('') + one('') + one('connection: close\r\n'));
  assert.equal(text.split('HTTP/1.1 200 OK').length, 4);
  assert.equal(bed.ingest.calls.length, 3);
});

test('what is no HTTP, or has too large headers, is answered with a Status', async () => {
  await using bed = await startHttp({ maxHeaderBytes: 8192 });
  const garbage = await exchangeRaw(bed.port, 'hello there\r\n\r\n');
  assert.match(garbage, /^HTTP\/1\.1 400 Bad Request\r\ncontent-type: application\/json/);
  assert.match(garbage, /\{"code":3,"message":"not an HTTP\/1\.1 request/);
  const large = await exchangeRaw(
    bed.port,
    `POST /v1/traces HTTP/1.1\r\nhost: x\r\nx-large: ${'a'.repeat(9000)}\r\n\r\n`,
  );
  assert.match(large, /^HTTP\/1\.1 431 /);
  const chunk = await exchangeRaw(
    bed.port,
    'POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-protobuf\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n',
  );
  assert.match(chunk, /^HTTP\/1\.1 400 Bad Request\r\n/);
  assert.match(chunk, /content-type: application\/x-protobuf/);
  assert.equal(bed.receiver.figures.unknown.refusedRequests.bad_http, 2);
  assert.equal(bed.receiver.figures.otlp_proto.refusedRequests.bad_http, 1);
  assert.equal(bed.budget.figures.leases, 0);
});

test('slow headers, stalled bodies and dribbled bodies are ended', async () => {
  const head = 'POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n';
  await using quick = await startHttp({ headersTimeoutMs: 60 });
  assert.match(await exchangeRaw(quick.port, head), /^HTTP\/1\.1 408 Request Timeout\r\n/);
  assert.equal(await exchangeRaw(quick.port, ''), '', 'closed without a word');
  await using idle = await startHttp({ bodyIdleTimeoutMs: 80 });
  const stalled = await exchangeRaw(idle.port, `${head}content-length: 100\r\n\r\nabc`);
  assert.match(stalled, /^HTTP\/1\.1 408 /);
  assert.match(stalled, /request body stopped for 80 ms/);
  await using slow = await startHttp({ headersTimeoutMs: 100, requestTimeoutMs: 100 });
  const dribbled = await new Promise<string>((resolve, reject) => {
    let got = '';
    const socket = net.connect({ host: '127.0.0.1', port: slow.port }, () => {
      socket.write(`${head}content-length: 10000\r\n\r\n`);
    });
    const timer = setInterval(() => socket.write('a'), 20);
    socket.on('data', (piece) => {
      got += piece.toString('latin1');
    });
    // The server closes under what is still sent; the answer was read before.
    socket.on('error', (error) => (got === '' ? reject(error) : resolve(got)));
    socket.on('close', () => {
      clearInterval(timer);
      resolve(got);
    });
  });
  assert.match(dribbled, /^HTTP\/1\.1 408 /);
  for (const bed of [idle, slow]) {
    assert.equal(bed.receiver.figures.otlp_json.refusedRequests.timeout, 1);
    assert.equal(bed.budget.figures.leases, 0);
  }
});

test('an answer may take longer than the pause that a body may make', async () => {
  await using bed = await startHttp({ bodyIdleTimeoutMs: 100 });
  bed.ingest.answer = async () => {
    await new Promise((resolve) => setTimeout(resolve, 300));
    return { accepted: 1, rejected: 0, message: '' };
  };
  assert.equal((await send(bed.port, { headers: PROTO }, [Buffer.from('x')])).status, 200);
});

test('connections beyond the limit are dropped and counted', async () => {
  await using bed = await startHttp({ maxConnections: 2 });
  const open = await Promise.all(
    [0, 1].map(
      () =>
        new Promise<net.Socket>((resolve) => {
          const socket = net.connect({ host: '127.0.0.1', port: bed.port }, () => resolve(socket));
        }),
    ),
  );
  await until(() => bed.receiver.connections.open === 2);
  assert.equal(await exchangeRaw(bed.port, '').catch(() => ''), '');
  assert.equal(bed.receiver.connections.dropped, 1);
  for (const socket of open) socket.destroy();
});

test('shutdown lets the running request finish, refuses new ones and closes idle connections', async () => {
  await using bed = await startHttp();
  const agent = new http.Agent({ keepAlive: true });
  await send(bed.port, { headers: PROTO, agent }, [Buffer.from('idle')]);
  const fresh = net.connect({ host: '127.0.0.1', port: bed.port });
  await until(() => bed.receiver.connections.open === 2);
  let finish: (result: IngestResult) => void = () => undefined;
  bed.ingest.answer = () =>
    new Promise((resolve) => {
      finish = resolve;
    });
  const running = send(bed.port, { headers: { ...PROTO, connection: 'keep-alive' } }, [
    Buffer.from('x'),
  ]);
  await bed.ingest.called(2);
  const freshClosed = new Promise((resolve) => fresh.on('close', resolve));
  fresh.on('error', () => undefined);
  const stopped = bed.receiver.shutdown(10_000);
  await freshClosed;
  await assert.rejects(send(bed.port, { headers: PROTO }, [Buffer.from('late')]), /ECONNREFUSED/);
  finish({ accepted: 1, rejected: 0, message: '' });
  const answer = await running;
  assert.equal(answer.status, 200);
  assert.equal(answer.headers['connection'], 'close');
  await stopped;
  agent.destroy();
});

test('shutdown ends at its deadline, and is safe before start and twice', async () => {
  await using bed = await startHttp();
  bed.ingest.answer = () => new Promise(() => undefined);
  const running = send(bed.port, { headers: PROTO }, [Buffer.from('x')]);
  const cut = assert.rejects(running);
  await bed.ingest.called(1);
  await Promise.all([bed.receiver.shutdown(20), bed.receiver.shutdown(20)]);
  await cut;
  await bed.receiver.shutdown(20);
  await assert.rejects(bed.receiver.start(), /already shut down/);
});

test('an address in use is a clear error', async () => {
  await using bed = await startHttp();
  await assert.rejects(
    startHttp({ port: bed.port }),
    /receivers\.test: cannot listen on 127\.0\.0\.1:\d+: EADDRINUSE/,
  );
});

test('a refused body without a length is dropped, and the connection takes the next request', async () => {
  await using bed = await startHttp();
  const head = 'host: x\r\ncontent-type: text/plain\r\n';
  const chunked = `POST /v1/traces HTTP/1.1\r\n${head}transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n`;
  const last = `POST /v1/traces HTTP/1.1\r\n${head}connection: close\r\ncontent-length: 1\r\n\r\nx`;
  const text = await exchangeRaw(bed.port, chunked + last);
  assert.equal(text.match(/HTTP\/1\.1 415 /g)?.length, 2);
});

test('a refused body is passed over, and the next request on the connection is taken whole', async () => {
  await using bed = await startHttp({}, MIB);
  const lease = bed.budget.reserve(MIB - 1000);
  const body = pattern(200_000, 3);
  const head = 'POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-protobuf\r\n';
  const socket = net.connect({ host: '127.0.0.1', port: bed.port });
  let got = '';
  socket.on('data', (piece) => (got += piece.toString('latin1')));
  socket.write(`${head}content-length: ${body.length}\r\n\r\n`);
  await until(() => got.includes('HTTP/1.1 503 '));
  lease?.release();
  // The end of the refused body and all of the next request may come in one piece.
  socket.write(body);
  socket.end(
    Buffer.concat([
      Buffer.from(`${head}connection: close\r\ncontent-length: ${body.length}\r\n\r\n`),
      body,
    ]),
  );
  await until(() => bed.ingest.calls.length === 1 && got.includes('HTTP/1.1 200 '));
  assert.ok(bed.ingest.calls[0]?.body.equals(body));
  assert.equal(bed.budget.figures.leases, 0);
});

test('a client that goes away in the middle of a refused body spoils no other connection', async () => {
  await using bed = await startHttp({}, MIB);
  const lease = bed.budget.reserve(MIB - 1000);
  const head = 'POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-protobuf\r\n';
  for (let i = 0; i < 5; i++) {
    const socket = net.connect({ host: '127.0.0.1', port: bed.port });
    socket.write(`${head}content-length: 5000\r\n\r\nabc`);
    await new Promise((resolve) => socket.once('data', resolve));
    socket.destroy();
  }
  await until(() => bed.receiver.connections.open === 0);
  lease?.release();
  const body = pattern(5000, 1);
  const answer = await send(bed.port, { headers: PROTO }, [body]);
  assert.equal(answer.status, 200);
  assert.ok(bed.ingest.calls[0]?.body.equals(body));
});
