// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import { ask } from '#net/testing/raw-request.ts';
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

test('a refused body that does not end is not read for ever', { timeout: 20_000 }, async () => {
  await withApi(new FixtureReader(), async (app) => {
    const port = await listen(app);
    for (const [header, piece] of [
      ['content-length: 1000000000', 'x'.repeat(65_536)],
      ['transfer-encoding: chunked', `10000\r\n${'x'.repeat(65_536)}\r\n`],
    ] as const) {
      const socket = connect(port, '127.0.0.1').on('error', () => undefined);
      const send = (): void => {
        if (!socket.destroyed) socket.write(piece, send);
      };
      socket.write(`GET /api/services HTTP/1.1\r\nhost: localhost\r\n${header}\r\n\r\n`, send);
      try {
        assert.match(String(await once(socket, 'data')), /^HTTP\/1.1 413 /);
        await new Promise((resolve) => socket.resume().on('close', resolve));
      } finally {
        socket.destroy();
      }
    }
  });
});
