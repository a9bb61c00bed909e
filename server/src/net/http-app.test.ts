// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { createHttpApp } from './http-app.ts';
import { ask } from './testing/raw-request.ts';

test('what Node itself would refuse without a word is refused as the application refuses', async () => {
  const app = createHttpApp({});
  app.get('/', (_request, reply) => reply.send('reached'));
  try {
    await app.listen({ host: '127.0.0.1', port: 0 });
    // It is bound to a port.
    const { port } = app.server.address() as AddressInfo;
    for (const [header, status, error, message] of [
      ['accept: */*', 400, 'Bad Request', 'a request in HTTP/1.1 must have a Host header'],
      [
        'host: x\r\nexpect: foo',
        417,
        'Expectation Failed',
        'expectation "foo" is not known, only 100-continue',
      ],
    ] as const) {
      const [head, body] = await ask(port, `GET / HTTP/1.1\r\n${header}\r\n\r\n`);
      assert.match(head, new RegExp(`^HTTP/1.1 ${status} ${error}\r\n`));
      assert.match(head, /\r\ncontent-type: application\/json; charset=utf-8\r\n/i);
      assert.deepEqual(JSON.parse(body), { statusCode: status, error, message });
    }
  } finally {
    await app.close();
  }
});
