// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SpoorError } from '@spoor/core/model/errors.ts';
import { listenError, storeError } from './start-error.ts';

const ENDPOINT = { host: '192.0.2.1', port: 4317 };

function systemError(code: string): Error {
  return Object.assign(new Error(`listen ${code}: whatever 192.0.2.1:4317`), { code });
}

test('why an address cannot be listened on is said in words, after the key', () => {
  const messageOf = (cause: unknown): string => listenError('a.endpoint', ENDPOINT, cause).message;
  assert.equal(
    messageOf(systemError('EADDRINUSE')),
    'a.endpoint: port 4317 is in use by another process',
  );
  assert.equal(
    messageOf(systemError('EACCES')),
    'a.endpoint: no permission to listen on port 4317',
  );
  assert.equal(
    messageOf(systemError('EADDRNOTAVAIL')),
    'a.endpoint: this machine has no address 192.0.2.1',
  );
  assert.equal(
    messageOf(systemError('ENOTFOUND')),
    'a.endpoint: the host name 192.0.2.1 is not known',
  );
  assert.equal(
    messageOf(new Error('odd')),
    'a.endpoint: cannot listen on 192.0.2.1, port 4317: odd',
  );
});

test('the reason is also found inside of another error', () => {
  for (const cause of [
    new Error(
      'No address added out of total 1 resolved errors: [listen EADDRINUSE: address in use]',
    ),
    new SpoorError('config', 'a: cannot listen', { cause: systemError('EADDRINUSE') }),
  ]) {
    assert.match(
      listenError('a.endpoint', ENDPOINT, cause).message,
      /is in use by another process$/,
    );
  }
});

test('a store that cannot be opened is told under storage', () => {
  const error = storeError(new SpoorError('corrupt', 'manifest: version 9 is newer than 1'));
  assert.equal(error.message, 'storage: manifest: version 9 is newer than 1');
});
