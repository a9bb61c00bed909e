// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { arbitrarySpan } from '#query/testing/arbitrary-span.ts';
import { batchOf } from '#query/testing/span-body.ts';
import { OtlpProtoEncoder } from './encode.ts';
import { OtlpJsonEncoder } from './encode-json.ts';
import { validRequest } from './testing/arbitrary-request.ts';
import { decodeJson, decodeProto, encodeRequest, spansOf, spansOfBatch } from './testing/oracle.ts';

test('a request that is decoded and encoded reads the same for the official library', () => {
  fc.assert(
    fc.property(validRequest, (request) => {
      const bytes = encodeRequest(request);
      assert.deepEqual(spansOfBatch(decodeProto(bytes)), spansOf(bytes));
    }),
    { numRuns: 300 },
  );
});

test('some rows are encoded as those of a batch that has only them', () => {
  fc.assert(
    fc.property(validRequest, fc.infiniteStream(fc.boolean()), (request, choices) => {
      const batch = decodeProto(encodeRequest(request));
      const all = Uint32Array.from({ length: batch.rows }, (_, row) => row);
      const rows = all.filter(() => choices.next().value);
      const spans = spansOfBatch(batch);
      assert.deepEqual(
        spansOf(new OtlpProtoEncoder(batch).encodeRows(rows)),
        Array.from(rows, (row) => spans[row]),
      );
    }),
    { numRuns: 100 },
  );
});

test('a batch in JSON is read as the same spans', () => {
  fc.assert(
    fc.property(fc.array(arbitrarySpan, { maxLength: 5 }), (spans) => {
      const batch = batchOf(spans);
      const rows = Uint32Array.from({ length: batch.rows }, (_, row) => row);
      const again = decodeJson(new OtlpJsonEncoder(batch).encodeRows(rows));
      assert.deepEqual(spansOfBatch(again), spansOfBatch(batch));
    }),
    { numRuns: 100 },
  );
});
