// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SpoorError } from '@spoor/core/model/errors.ts';
import { isRetryable } from './settle-all.ts';
import { writeParts } from './write-parts.ts';

const NEVER = new SpoorError('malformed', 'never');
const LATER = new SpoorError('overloaded', 'later');

test('parts are written a few at a time, the last one alone, and the whole fails as it may be tried again', async () => {
  const end = fc.constantFrom(undefined, undefined, undefined, NEVER, LATER);
  await fc.assert(
    fc.asyncProperty(fc.array(end, { maxLength: 20 }), async (ends) => {
      const begun: number[] = [];
      let underWay = 0;
      let completed = false;
      const writing = writeParts([...ends.keys()], async (part, completes) => {
        begun.push(part);
        underWay++;
        assert.ok(underWay <= 2);
        if (part === ends.length - 1) {
          assert.equal(underWay, 1);
          assert.equal(
            completes,
            ends.slice(0, -1).every((error) => error === undefined),
          );
          completed = completes;
        } else assert.equal(completes, false);
        await new Promise(setImmediate);
        underWay--;
        if (ends[part] !== undefined) throw ends[part];
      });
      const error = await writing.then(
        () => undefined,
        (reason: unknown) => reason,
      );
      assert.deepEqual(begun, [...begun.keys()]);
      const failures = begun.flatMap((part) => ends[part] ?? []);
      assert.equal(error, failures.find(isRetryable) ?? failures[0]);
      if (!failures.some(isRetryable)) assert.equal(begun.length, ends.length);
      if (error === undefined) assert.equal(completed, ends.length > 0);
    }),
  );
});
