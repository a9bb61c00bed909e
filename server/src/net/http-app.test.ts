// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { connect, type AddressInfo } from 'node:net';
import { test } from 'node:test';
import { createHttpApp } from './http-app.ts';

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
        'the expectation "foo" is not known, only 100-continue',
      ],
    ] as const) {
      const client = connect(port, '127.0.0.1');
      client.write(`GET / HTTP/1.1\r\n${header}\r\n\r\n`);
      let answer = '';
      for await (const piece of client) answer += String(piece);
      const [head, body] = answer.split('\r\n\r\n') as [string, string];
      assert.match(head, new RegExp(`^HTTP/1.1 ${status} ${error}\r\n`));
      assert.match(head, /\r\ncontent-type: application\/json; charset=utf-8\r\n/i);
      assert.deepEqual(JSON.parse(body), { statusCode: status, error, message });
    }
  } finally {
    await app.close();
  }
});
