// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { test } from 'node:test';
import { ApiError } from './api-error.ts';
import { fetchData, fetchPage } from './fetch-json.ts';

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

async function fetchFrom(answer: Answer): Promise<unknown> {
  const server = createServer((_request, response) => {
    response.writeHead(answer.status, { 'content-type': answer.type, connection: 'close' });
    response.end(answer.body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  try {
    const url = `http://127.0.0.1:${address.port}/api/traces?service=a`;
    return await fetchData(url, new AbortController().signal);
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
}

function json(status: number, value: unknown): Answer {
  return { status, type: 'application/json', body: JSON.stringify(value) };
}

test('the data inside the envelope is handed on', async () => {
  assert.deepEqual(await fetchFrom(json(200, { data: ['a'], errors: null })), ['a']);
});

test('the token of a next page and warnings are handed on, where there are some', async () => {
  const server = createServer((_request, response) => {
    const isFirst = response.req.url === '/1';
    const nextPage = isFirst ? '1.2.ab' : undefined;
    const warnings = isFirst ? ['spans are missing', 7] : undefined;
    response.writeHead(200, { 'content-type': 'application/json', connection: 'close' });
    response.end(JSON.stringify({ data: [], errors: null, nextPage, warnings }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  const base = `http://127.0.0.1:${address.port}`;
  const { signal } = new AbortController();
  try {
    const page = { data: [], warnings: ['spans are missing'] };
    assert.deepEqual(await fetchPage(`${base}/1`, signal), { ...page, nextPage: '1.2.ab' });
    assert.deepEqual(await fetchPage(`${base}/2`, signal), {
      data: [],
      warnings: [],
      nextPage: undefined,
    });
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
});

test('a refusal says what the server said', async () => {
  const errors = [{ code: 400, msg: 'minDuration: "5x" is not a duration' }];
  await assert.rejects(fetchFrom(json(400, { data: null, errors })), (error) => {
    assert.ok(error instanceof ApiError);
    assert.equal(error.status, 400);
    assert.equal(error.title, 'The server refused the request');
    assert.equal(error.message, 'minDuration: "5x" is not a duration');
    return true;
  });
});

test('an answer that is not JSON is named with its type and its beginning', async () => {
  const page = { status: 502, type: 'text/html; charset=utf-8', body: '<h1>Bad gateway</h1>' };
  await assert.rejects(fetchFrom(page), /\/api\/traces answered text\/html: “<h1>Bad gateway/);
  await assert.rejects(fetchFrom({ ...page, status: 200 }), { title: 'The answer is not JSON' });
});

test('JSON without data is an error, also when it says nothing', async () => {
  await assert.rejects(fetchFrom(json(200, [1])), /answered JSON without “data”/);
  await assert.rejects(fetchFrom(json(500, null)), /status 500 without saying why/);
  const errors = [{ msg: 'half of it failed' }];
  await assert.rejects(fetchFrom(json(200, { data: null, errors })), /half of it failed/);
});

test('a server that is not there is an error of its own kind', async () => {
  // Port 9 (discard) of the loopback has no listener.
  const signal = new AbortController().signal;
  await assert.rejects(fetchData('http://127.0.0.1:9/api/services', signal), {
    title: 'The server does not answer',
    status: 0,
  });
});

test('a request that was given up ends as such, not as a failure of the server', async () => {
  const controller = new AbortController();
  controller.abort();
  await assert.rejects(fetchData('http://127.0.0.1:9/', controller.signal), { name: 'AbortError' });
});
