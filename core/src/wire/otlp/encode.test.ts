// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { validRequest } from './testing/arbitrary-request.ts';
import { decodeProto, encodeRequest, spansOf, spansOfBatch } from './testing/oracle.ts';

test('a request that is decoded and encoded reads the same for the official library', () => {
  fc.assert(
    fc.property(validRequest, (request) => {
      const bytes = encodeRequest(request);
      assert.deepEqual(spansOfBatch(decodeProto(bytes)), spansOf(bytes));
    }),
    { numRuns: 300 },
  );
});
