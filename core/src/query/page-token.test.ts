// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SpoorError } from '#model/errors.ts';
import { formatPageToken, parsePageToken, resumeQuery } from './page-token.ts';
import { arbitraryQuery } from './testing/arbitrary-query.ts';
import { traceId } from './testing/example-span.ts';
import type { TraceQuery } from './trace-query.ts';

const QUERY: TraceQuery = {
  where: { op: 'exists', field: { kind: 'attribute', scope: 'any', key: 'k' } },
  startMinUnixNano: 0n,
  startMaxUnixNano: 1_763_800_000_123_456_789n,
  limit: 20,
};

const NEXT = { key: -(2n ** 64n) + 1n, traceId: traceId('f'.repeat(32)) };

function isInvalid(message: RegExp): (error: unknown) => boolean {
  return (error) =>
    error instanceof SpoorError && error.code === 'invalid_argument' && message.test(error.message);
}

test('a token resumes its own query, with another limit too, and no other query', () => {
  const position = fc.record(
    {
      key: fc.bigInt({ min: -(2n ** 64n), max: 2n ** 64n }),
      traceId: fc.integer({ min: 1 }).map(traceId),
    },
    { noNullPrototype: true },
  );
  fc.assert(
    fc.property(arbitraryQuery, arbitraryQuery, position, (query, other, next) => {
      const text = formatPageToken(query, next);
      assert.match(text, /^[-.0-9a-z]+$/, 'needs no escapes in a URL');
      const token = parsePageToken(text);
      assert.equal(token.startMaxUnixNano, query.startMaxUnixNano);
      assert.deepEqual(resumeQuery({ ...query, limit: 7 }, token), {
        ...query,
        limit: 7,
        after: next,
      });
      const { after: _after, limit: _limit, ...rest } = query;
      const { after: _otherAfter, limit: _otherLimit, ...otherRest } = other;
      // Cloned, since fast-check makes some objects without a prototype, and says so in the text.
      const plain = (one: object) => fc.stringify(structuredClone({ order: 'newest', ...one }));
      if (plain(rest) !== plain(otherRest)) {
        assert.throws(() => resumeQuery(other, token), isInvalid(/another search/));
      }
    }),
  );
});

test('the order of properties and a default that is written out do not change a query', () => {
  const { limit, ...rest } = QUERY;
  const token = parsePageToken(formatPageToken(QUERY, NEXT));
  const same = { limit, order: 'newest' as const, ...rest };
  assert.deepEqual(resumeQuery(same, token).after, NEXT);
  assert.throws(() => resumeQuery({ ...QUERY, order: 'oldest' }, token), isInvalid(/another/));
});

test('a token that was changed anywhere is refused', () => {
  const text = formatPageToken(QUERY, NEXT);
  for (let i = 0; i < text.length; i++) {
    for (const char of ['0', '1', 'f', '.', '-', '~']) {
      if (text[i] === char) continue;
      const changed = text.slice(0, i) + char + text.slice(i + 1);
      assert.throws(() => resumeQuery(QUERY, parsePageToken(changed)), isInvalid(/page token/));
    }
    assert.throws(() => resumeQuery(QUERY, parsePageToken(text.slice(0, i))), isInvalid(/token/));
  }
});

test('what is no token, or one of another version, is told so', () => {
  for (const text of ['', 'x', '1', '1.2.3.4.5', `1.${'9'.repeat(200)}`, 'é'.repeat(80)]) {
    assert.throws(() => parsePageToken(text), isInvalid(/not one that a page of traces came with/));
  }
  const newer = formatPageToken(QUERY, NEXT).replace(/^1/, '2');
  assert.throws(() => parsePageToken(newer), isInvalid(/is of version 2; this is version 1/));
});
