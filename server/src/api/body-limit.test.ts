// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import { ask } from '#net/testing/raw-request.ts';
import { startTokens } from '#net/testing/test-tokens.ts';
import { FixtureReader, listen, withApi } from './testing/api-fixture.ts';

test('a body that is too large is refused whatever is asked, and the connection goes on', async () => {
  await withApi(new FixtureReader(), async (app) => {
    const port = await listen(app);
    const host = 'HTTP/1.1\r\nhost: localhost\r\n';
    const next = `GET /api/nothing ${host}connection: close\r\n\r\n`;
    const declared = (bytes: number): string =>
      `content-length: ${bytes}\r\n\r\n${'x'.repeat(bytes)}`;
    const chunked = (chunks: number): string =>
      `transfer-encoding: chunked\r\n\r\n${`400\r\n${'x'.repeat(1024)}\r\n`.repeat(chunks)}0\r\n\r\n`;
    for (const [request, body, status] of [
      ['GET /api/services', declared(65_536), 200],
      ['GET /api/services', chunked(64), 200],
      ['GET /api/services', declared(65_537), 413],
      ['GET /api/services', chunked(65), 413],
      ['GET /api/v3/services', declared(100_000), 413],
      ['GET /', chunked(100), 413],
      ['POST /api/services', declared(65_537), 413],
      ['POST /api/services', chunked(65), 413],
      ['POST /api/services', chunked(64), 404],
    ] as const) {
      const told = `${request} ${body.slice(0, 30)}`;
      const [head, answer] = await ask(port, `${request} ${host}${body}${next}`);
      assert.match(head, new RegExp(`^HTTP/1.1 ${status} `), told);
      assert.match(answer, /HTTP\/1.1 404 Not Found/, told);
      if (status !== 413) continue;
      const message = 'the body is larger than 65536 bytes, and no route reads one';
      const error = request.includes('v3')
        ? `{"error":{"httpCode":413,"message":"${message}"}}`
        : `"errors":[{"code":413,"msg":"${message}"}]}`;
      assert.ok(answer.includes(error), told);
    }
  });
});

/** More than sockets hold, in pieces of 64 KiB: one that takes it all is read. */
const ENDLESS_PIECES = 1024;

/**
 * Sends a body that does not end, in chunks unless its length is told.
 * @returns the status that was answered; undefined when the connection is not closed meanwhile
 */
async function sendEndlessly(port: number, head: string): Promise<number | undefined> {
  const bytes = 'x'.repeat(65_536);
  const [framing, piece] = head.includes('content-length: ')
    ? ['', bytes]
    : ['transfer-encoding: chunked\r\n', `10000\r\n${bytes}\r\n`];
  const socket = connect(port, '127.0.0.1').on('error', () => undefined);
  try {
    socket.write(`${head}\r\n${framing}\r\n${piece}${piece}`);
    const [answer] = (await once(socket, 'data')) as [Buffer];
    socket.resume();
    for (let i = 0; i < ENDLESS_PIECES && !socket.destroyed; i++) {
      // It ends with the connection too.
      await new Promise((resolve) => socket.write(piece, resolve));
    }
    if (!socket.destroyed) return undefined;
    return Number(/^HTTP\/1.1 (\d+) /.exec(String(answer))?.[1]);
  } finally {
    socket.destroy();
  }
}

test('a refused body that does not end is not read for ever', async () => {
  await withApi(new FixtureReader(), async (app) => {
    const port = await listen(app);
    for (const request of ['GET /api/services', 'POST /api/services', 'PUT /', 'TRACE /']) {
      for (const header of [
        'accept: */*',
        'content-length: 1000000000',
        'content-type: application/octet-stream',
        'content-type: application/json',
      ]) {
        const head = `${request} HTTP/1.1\r\nhost: localhost\r\n${header}`;
        assert.equal(await sendEndlessly(port, head), 413, head);
      }
    }
  });
});

test('nor is it with a request that is refused before', async () => {
  const tokens = await startTokens();
  await withApi(
    new FixtureReader(),
    async (app) => {
      const port = await listen(app);
      for (const [request, host, status] of [
        ['GET /api/services', 'evil.example', 403],
        ['POST /api/services', 'evil.example', 403],
        ['GET /api/services', 'localhost', 401],
        ['POST /api/services', 'localhost', 401],
        // No hook is asked about paths that cannot be decoded.
        ['GET /api/services/%zz', 'localhost', 400],
        [`GET /api/v3/traces/${'1'.repeat(5000)}`, 'localhost', 414],
      ] as const) {
        for (const header of ['accept: */*', 'content-length: 1000000000']) {
          const head = `${request} HTTP/1.1\r\nhost: ${host}\r\n${header}`;
          assert.equal(await sendEndlessly(port, head), status, head.slice(0, 80));
        }
      }
    },
    { knownHosts: [], tokens },
  );
});
