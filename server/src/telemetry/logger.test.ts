// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLogger, cutForLog } from './logger.ts';

test('the log is JSON lines with time and level in words, and no control characters', () => {
  const lines: string[] = [];
  const logger = createLogger('info', { write: (line) => lines.push(line) });
  logger.debug({}, 'not this');
  logger.warn({ url: cutForLog(`a\u001b\n${'x'.repeat(500)}`) }, 'odd request');
  assert.equal(lines.length, 1);
  assert.equal(lines[0]!.indexOf('\u001b'), -1);
  assert.equal(lines[0]!.indexOf('\n'), lines[0]!.length - 1);
  const { level, time, msg, url } = JSON.parse(lines[0]!) as Record<string, string>;
  assert.deepEqual([level, msg], ['warn', 'odd request']);
  assert.match(time!, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  assert.equal(url!.length, 201);
});
