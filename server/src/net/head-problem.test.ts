// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { IncomingMessage, type IncomingHttpHeaders } from 'node:http';
import { Socket } from 'node:net';
import { test } from 'node:test';
import { headProblem } from './head-problem.ts';

function problemOf(headers: IncomingHttpHeaders, httpVersion = '1.1'): string | undefined {
  const request = Object.assign(new IncomingMessage(new Socket()), { headers, httpVersion });
  const problem = headProblem(request);
  return problem === undefined ? undefined : `${problem.status}: ${problem.message}`;
}

test('only HTTP/1.1 needs a Host, which may be empty', () => {
  assert.equal(problemOf({}), '400: a request in HTTP/1.1 must have a Host header');
  assert.equal(problemOf({ host: '' }), undefined);
  assert.equal(problemOf({}, '1.0'), undefined);
});

test('the one expectation that is known may stand among others and in any case', () => {
  const unknown = (expect: string): string =>
    `417: expectation "${expect}" is not known, only 100-continue`;
  for (const expect of ['100-continue', '100-Continue', 'foo, 100-continue']) {
    assert.equal(problemOf({ host: 'x', expect }), undefined);
  }
  for (const expect of ['foo', '', '1100-continue']) {
    assert.equal(problemOf({ host: 'x', expect }), unknown(expect));
  }
  assert.equal(problemOf({ expect: 'foo' }, '1.0'), undefined);
});
