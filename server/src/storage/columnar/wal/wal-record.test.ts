// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { SpoorError } from '@spoor/core/model/errors.ts';
import { parseTenant } from '@spoor/core/model/ids.ts';
import {
  MAX_RECORD_BYTES,
  checkRecord,
  checkRecordHead,
  claimedHeadLength,
  decodeRecord,
  decodeRecordHead,
  encodeRecordHead,
  placeRecord,
} from './wal-record.ts';
import type { WalRecordInput } from './wal-record.ts';

const UINT32 = fc.nat({ max: 2 ** 32 - 1 });
const BYTES = fc.uint8Array({ maxLength: 50 });

const PLAIN = { noNullPrototype: true } as const;

const INPUT: fc.Arbitrary<WalRecordInput> = fc.record(
  {
    tenant: fc.stringMatching(/^[A-Za-z0-9_-]{1,64}$/).map(parseTenant),
    writtenUnixMs: fc.maxSafeNat(),
    requests: fc.array(
      fc.record(
        {
          digest: fc.uint8Array({ minLength: 16, maxLength: 16 }),
          accepted: UINT32,
          rejected: UINT32,
          message: fc.string({ unit: 'binary' }),
        },
        PLAIN,
      ),
      { maxLength: 4 },
    ),
    batch: BYTES,
    extensions: fc.array(fc.record({ type: UINT32, bytes: BYTES }, PLAIN), { maxLength: 3 }),
  },
  PLAIN,
);

const PLACE = fc
  .record({ segmentId: UINT32, salt: UINT32, groupFirst: fc.nat({ max: 2 ** 50 }), nth: UINT32 })
  .map(({ segmentId, salt, groupFirst, nth }) => ({
    segmentId,
    salt,
    groupFirst,
    sequence: groupFirst + nth,
  }));

/** The bytes of a record. */
function encode(input: WalRecordInput, place: Parameters<typeof placeRecord>[2]): Uint8Array {
  const views: Uint8Array[] = [];
  placeRecord(encodeRecordHead(input), input.batch, place, views);
  return new Uint8Array(Buffer.concat(views));
}

test('a record decodes to what was encoded, with its place', () => {
  fc.assert(
    fc.property(INPUT, PLACE, (input, place) => {
      const bytes = encode(input, place);
      assert.equal(bytes.length % 8, 0);
      assert.deepEqual(checkRecord(bytes), { lengthBytes: bytes.length, ...place });
      assert.deepEqual(decodeRecord(bytes), { sequence: place.sequence, ...input });
    }),
  );
});

test('a message may begin with any character, a byte order mark too', () => {
  const digest = new Uint8Array(16);
  const requests = [{ digest, accepted: 0, rejected: 1, message: '\ufeffwhy' }];
  const batch = new Uint8Array(0);
  const input = { tenant: parseTenant('a'), writtenUnixMs: 0, requests, batch };
  const place = { segmentId: 1, salt: 1, groupFirst: 1, sequence: 1 };
  assert.deepEqual(decodeRecord(encode(input, place)).requests, requests);
});

test('every flipped bit of a record is found', () => {
  fc.assert(
    fc.property(INPUT, PLACE, fc.nat(), (input, place, at) => {
      const bytes = encode(input, place);
      // The magic is compared before, the length decides what is looked at.
      const bit = 32 + (at % ((bytes.length - 4) * 8));
      bytes[bit >> 3]! ^= 1 << (bit & 7);
      assert.equal(checkRecord(bytes), undefined);
    }),
  );
});

/** The bytes of a record up to its batch. */
function headOf(bytes: Uint8Array): Uint8Array {
  const length = claimedHeadLength(new DataView(bytes.buffer));
  return bytes.slice(0, length);
}

test('the head of a record decodes by itself, and every flipped bit of it is found', () => {
  fc.assert(
    fc.property(INPUT, PLACE, fc.nat(), (input, place, at) => {
      const bytes = encode(input, place);
      const head = headOf(bytes);
      const header = { lengthBytes: bytes.length, ...place };
      assert.deepEqual(checkRecordHead(head), header);
      const { batch: _, ...rest } = input;
      assert.deepEqual(decodeRecordHead(head), { sequence: place.sequence, ...rest });
      // The magic and the checksum of the record are not part of it.
      const bit = 64 + (at % ((head.length - 8) * 8));
      head[bit >> 3]! ^= 1 << (bit & 7);
      assert.equal(checkRecordHead(head), undefined);
    }),
  );
});

test('parts that do not fit together are refused, whatever their sizes say', () => {
  fc.assert(
    fc.property(
      INPUT,
      PLACE,
      fc.constantFrom(40, 44, 48, 52, 56),
      fc.oneof(UINT32, fc.nat({ max: 200 })),
      (input, place, at, value) => {
        const bytes = encode(input, place);
        new DataView(bytes.buffer).setUint32(at, value, true);
        for (const decode of [decodeRecord, decodeRecordHead]) {
          try {
            decode(bytes);
          } catch (error) {
            assert.ok(error instanceof SpoorError, String(error));
          }
        }
      },
    ),
  );
});

test('a record above the limit is refused before anything is kept', () => {
  // Only its length is looked at.
  const batch = new Uint8Array(new ArrayBuffer(0));
  Object.defineProperty(batch, 'length', { value: MAX_RECORD_BYTES });
  assert.throws(
    () => encodeRecordHead({ tenant: parseTenant('a'), writtenUnixMs: 0, requests: [], batch }),
    (error) => error instanceof SpoorError && error.code === 'too_large',
  );
});
