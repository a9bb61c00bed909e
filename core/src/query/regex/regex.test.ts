// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import { SpoorError } from '#model/errors.ts';
import { encodeText } from '#model/utf8.ts';
import { Regex } from './regex.ts';
import { RegexBudget } from './regex-budget.ts';

function matches(pattern: string, text: string, budget?: RegexBudget): boolean {
  const bytes = encodeText(`<${text}>`);
  return new Regex(pattern, budget).matches(bytes, 1, bytes.length - 1);
}

function problem(pattern: string): string {
  try {
    new Regex(pattern);
  } catch (error) {
    assert.ok(error instanceof SpoorError);
    assert.equal(error.code, 'invalid_argument');
    return error.message;
  }
  return assert.fail(`${pattern} is taken`);
}

test('a pattern matches a whole text or nothing', () => {
  assert.ok(matches('GET|POST', 'POST'));
  assert.ok(!matches('GET|POST', 'POSTS'));
  assert.ok(matches('.*error.*', 'an error here'));
  assert.ok(matches('', ''));
  assert.ok(!matches('', 'x'));
  assert.ok(matches('^/api/[^/]+/items$', '/api/v1/items'));
  assert.ok(!matches('a$b', 'ab'));
});

test('characters are code points, in patterns and texts', () => {
  assert.ok(matches('.', '😀'));
  assert.ok(matches('[à-ü]{3}', 'éàü'));
  assert.ok(matches('\\x{1F600}+', '😀😀'));
  assert.ok(matches('[^a]', 'ÿ'));
  assert.ok(!matches('..', '猫'));
});

test('classes, escapes, quotations and flags are those of RE2', () => {
  assert.ok(matches('\\d\\D\\s\\S\\w\\W', '1x x_-'));
  assert.ok(matches('[[:alpha:]][[:^digit:]\\d][]a][a-]', 'xx]-'));
  assert.ok(matches('\\Qa.b\\E\\.\\x41\\n', 'a.b.A\n'));
  assert.ok(matches('(?i)straße|ΩMEGA', 'STRAßE'));
  assert.ok(matches('(?i)ωmega', 'Ωmega'));
  assert.ok(matches('(?i:A)b', 'ab') && !matches('(?i:A)b', 'aB'));
  assert.ok(matches('(?P<x>a)(?<y>b)(?:c)', 'abc'));
  assert.ok(!matches('.', '\n') && matches('(?s).', '\n') && !matches('(?s-s).', '\n'));
  assert.ok(matches('(?m)a$\n^b', 'a\nb') && !matches('a$\n^b', 'a\nb'));
  assert.ok(matches('.*\\bid\\b.*', 'an id!') && !matches('.*\\bid\\b.*', 'idle'));
  assert.ok(matches('\\A\\w\\B\\w\\z', 'ab'));
  assert.ok(matches('a{2}b{1,}c{0,2}d{x}', 'aabbbd{x}'));
  assert.ok(matches('a+?b*?c??', 'ab'));
});

test('what cannot be matched in linear time or is not understood is refused with its place', () => {
  assert.match(problem('(a)\\1'), /"\(a\)\\\\1": '\\1', which is not supported before character 6/);
  assert.match(problem('(?=a)'), /'\(\?' with "="/);
  assert.match(problem('(?<=a)'), /look-around/);
  assert.match(problem('\\p{L}'), /'\\p', which is not supported/);
  assert.match(problem('(a'), /'\(' without '\)'/);
  assert.match(problem('a)'), /'\)' without '\('/);
  assert.match(problem('*a'), /'\*' with nothing to repeat/);
  assert.match(problem('a**'), /a repetition of a repetition/);
  assert.match(problem('[a'), /the end in the middle/);
  assert.match(problem('[z-a]'), /a range that is not ascending/);
  assert.match(problem('[[:nope:]]'), /without the name of a class/);
  assert.match(problem('a{2,1}'), /\{2,1\}/);
  assert.match(problem('a{1001}'), /\{1001\}/);
  assert.match(problem('x'.repeat(1001)), /1001 characters, more than 1000/);
  assert.match(problem('((a{100}){100}){100}'), /more than 10000 steps/);
  assert.match(problem('((((){1000}){1000}){1000}){1000}'), /more than 10000 steps/);
});

test('patterns that stop a backtracking matcher are matched all the same', () => {
  assert.ok(!matches('(a*)*b', 'a'.repeat(5000)));
  assert.ok(!matches('(a|a)*b', 'a'.repeat(5000)));
  assert.ok(matches('(a?){50}a{50}', 'a'.repeat(50)));
  assert.ok(!matches('(.*a){8}', 'b'.repeat(5000)));
  assert.ok(matches('(a|b)*a(a|b){12}', `${'ab'.repeat(2000)}a${'b'.repeat(12)}`));
});

/** Of each text almost every character leads to a state of its own, with half as many steps as characters. */
const MANY_STEPS = '.*a(.{1000}){4}.*z';

/** Letters a and b by no rule that is simple to see. */
function lettersOf(count: number): string {
  let seed = 1;
  return Array.from({ length: count }, () => {
    seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
    return seed >>> 31 === 0 ? 'a' : 'b';
  }).join('');
}

test('states of thousands of steps take no more memory than small ones', async () => {
  const script = `
    import { workerData } from 'node:worker_threads';
    const { Regex } = await import(workerData.regex);
    const bytes = Buffer.from(workerData.text);
    if (new Regex(workerData.pattern).matches(bytes, 0, bytes.length)) process.exit(3);`;
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(script)}`), {
    workerData: {
      regex: new URL('./regex.ts', import.meta.url).href,
      pattern: MANY_STEPS,
      text: lettersOf(6000),
    },
    // All states take three times as much.
    resourceLimits: { maxOldGenerationSizeMb: 40, maxYoungGenerationSizeMb: 4 },
  });
  const code = await new Promise((resolve, reject) => {
    worker.on('exit', resolve);
    worker.on('error', reject);
  });
  assert.equal(code, 0);
});

test('within one text it is asked again and again whether to go on, and what that throws leaves the pattern whole', () => {
  let checkpoints = 0;
  const text = encodeText(lettersOf(1000));
  const budget = new RegexBudget(() => {
    if (++checkpoints === 1) throw new Error('nobody waits');
  });
  const regex = new Regex('.*a(.{1000}){4}|[ab]*', budget);
  assert.throws(() => regex.matches(text, 0, text.length), /nobody waits/);
  assert.equal(checkpoints, 1);
  assert.equal(regex.matches(text, 0, text.length), true);
  const other = encodeText(`${lettersOf(2000)}c`);
  const before = checkpoints;
  assert.equal(regex.matches(other, 0, other.length), false);
  assert.ok(checkpoints - before > 1, `${checkpoints - before} checkpoints`);
});

test('a query has patterns of so many steps together', () => {
  const budget = new RegexBudget(undefined, { programSteps: 10, rememberedBytes: 1 << 20 });
  assert.ok(matches('abc', 'abc', budget));
  assert.ok(matches('ab|c', 'c', budget));
  assert.throws(() => new Regex('a', budget), {
    code: 'invalid_argument',
    message: /^the patterns of a query take more than 10 steps/,
  });
});

const ATOMS = ['a', 'b', '.', '[ab]', '[^a]', 'é', '\\b', '^', '$', '\\B', '(?:)'];

test('any pattern matches what JavaScript finds, whatever it forgets meanwhile', () => {
  const pattern = fc.letrec<{ node: string }>((tie) => ({
    node: fc.oneof(
      { maxDepth: 3 },
      fc.constantFrom(...ATOMS),
      fc.tuple(tie('node'), tie('node')).map(([a, b]) => a + b),
      fc.tuple(tie('node'), tie('node')).map(([a, b]) => `(?:${a}|${b})`),
      fc
        .tuple(tie('node'), fc.constantFrom('*', '+', '?', '{2}', '{1,2}', '{0,1}', '{2,}', '*?'))
        .map(([a, q]) => `(?:${a})${q}`),
    ),
  })).node;
  const text = fc.array(fc.constantFrom('a', 'b', 'é', ' ', '\n', '😀'), { maxLength: 6 });
  // From room for no state to room for all.
  const room = fc.constantFrom(0, 700, 2000, 1 << 20);
  fc.assert(
    fc.property(pattern, text, room, (source, parts, rememberedBytes) => {
      const input = parts.join('');
      // The u flag makes code points, the i and m flags are off; \b is ASCII in both.
      const expected = new RegExp(`^(?:${source})$`, 'u').test(input);
      const budget = new RegexBudget(undefined, { programSteps: 10_000, rememberedBytes });
      // Of two patterns with one budget each forgets for the other.
      const both = [new Regex(source, budget), new Regex(`(?:${source})`, budget)];
      const bytes = encodeText(input);
      for (const regex of [...both, ...both]) {
        const found = regex.matches(bytes, 0, bytes.length);
        assert.equal(found, expected, `${source} on ${JSON.stringify(input)}`);
      }
    }),
    { numRuns: 1000 },
  );
});
