// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import zlib from 'node:zlib';
import fc from 'fast-check';
import { SpoorError, type ErrorCode } from '@spoor/core/model/errors.ts';
import { decompress, type Compression } from './decompress.ts';
import { MemoryBudget } from './memory-budget.ts';

const MIB = 1024 * 1024;
const ENCODERS: Readonly<Record<Compression, (bytes: Uint8Array) => Buffer>> = {
  gzip: (bytes) => zlib.gzipSync(bytes),
  deflate: (bytes) => zlib.deflateSync(bytes),
  zstd: (bytes) => zlib.zstdCompressSync(bytes),
};
// Object.keys gives exactly the keys of this constant table.
const COMPRESSIONS = Object.keys(ENCODERS) as Compression[];

async function run(
  compression: Compression,
  input: Uint8Array,
  capBytes: number,
  budgetBytes = 64 * MIB,
): Promise<{ output: Uint8Array; heldBytes: number; peakBytes: number } | { code: ErrorCode }> {
  const budget = new MemoryBudget(budgetBytes);
  const lease = budget.reserve(0);
  assert.ok(lease);
  try {
    const output = await decompress(compression, input, { capBytes, lease });
    // The output is the lease's, and gone with it.
    const copy = Uint8Array.from(output);
    return { output: copy, heldBytes: lease.bytes, peakBytes: budget.figures.peakBytes };
  } catch (error) {
    assert.ok(error instanceof SpoorError);
    return { code: error.code };
  } finally {
    lease.release();
    assert.equal(budget.figures.usedBytes, 0);
  }
}

test('what was compressed comes back', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uint8Array({ maxLength: 5000 }),
      fc.constantFrom(...COMPRESSIONS),
      async (bytes, compression) => {
        const result = await run(compression, ENCODERS[compression](bytes), MIB);
        assert.ok('output' in result);
        assert.deepEqual(Buffer.from(result.output), Buffer.from(bytes));
      },
    ),
    { numRuns: 60 },
  );
});

test('an output of many pieces comes back, and the lease holds what it occupies', async () => {
  const bytes = Buffer.alloc(5 * MIB, 'spans and spans ');
  for (const compression of COMPRESSIONS) {
    const result = await run(compression, ENCODERS[compression](bytes), 8 * MIB);
    assert.ok('output' in result);
    assert.ok(bytes.equals(result.output), compression);
    assert.ok(result.heldBytes >= bytes.length && result.heldBytes <= 8 * MIB);
  }
});

test('an input cut at any byte is malformed', async () => {
  const bytes = Buffer.from('one span and another span and one more span'.repeat(5));
  for (const compression of COMPRESSIONS) {
    const input = ENCODERS[compression](bytes);
    for (let length = 0; length < input.length; length++) {
      const result = await run(compression, input.subarray(0, length), MIB);
      assert.deepEqual(result, { code: 'malformed' }, `${compression} ${length}`);
    }
  }
});

test('an output over the cap is refused, one at the cap is not', async () => {
  for (const compression of COMPRESSIONS) {
    const input = ENCODERS[compression](Buffer.alloc(100_000));
    assert.deepEqual(await run(compression, input, 99_999), { code: 'too_large' });
    assert.ok('output' in (await run(compression, input, 100_000)));
    // A frame of 64 MiB in a single piece.
    const bomb = ENCODERS[compression](Buffer.alloc(64 * MIB));
    assert.deepEqual(await run(compression, bomb, 16 * MIB), { code: 'too_large' });
  }
});

test('an output that finds no room now is overloaded, one that never can is too large', async () => {
  const budget = new MemoryBudget(4 * MIB);
  const other = budget.reserve(3.5 * MIB);
  const lease = budget.reserve(0);
  assert.ok(lease);
  const bounds = { capBytes: 16 * MIB, lease };
  const input = zlib.gzipSync(Buffer.alloc(2 * MIB));
  const hasCode = (code: string) => (error: unknown) =>
    error instanceof SpoorError && error.code === code;
  await assert.rejects(decompress('gzip', input, bounds), hasCode('overloaded'));
  lease.release();
  other?.release();
  const large = zlib.gzipSync(Buffer.alloc(12 * MIB));
  assert.deepEqual(await run('gzip', large, 16 * MIB, 4 * MIB), { code: 'too_large' });
});

test('random bytes are malformed or empty, never a crash', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uint8Array({ maxLength: 200 }),
      fc.constantFrom(...COMPRESSIONS),
      async (bytes, compression) => {
        const result = await run(compression, bytes, MIB);
        assert.ok('output' in result || result.code === 'malformed');
      },
    ),
    { numRuns: 100 },
  );
});
