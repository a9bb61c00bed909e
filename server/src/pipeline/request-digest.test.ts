// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_TENANT, parseTenant } from '@spoor/core/model/ids.ts';
import fc from 'fast-check';
import { requestDigest } from './request-digest.ts';

const hex = (body: Uint8Array) => requestDigest(DEFAULT_TENANT, 'otlp_proto', body).toString('hex');

test('a digest is 16 bytes that differ by tenant, format and body', () => {
  const digests = new Set<string>();
  for (const tenant of ['a', 'b', 'ab'].map(parseTenant)) {
    for (const format of ['otlp_proto', 'otlp_json'] as const) {
      for (const body of ['', 'x', 'xx']) {
        const one = requestDigest(tenant, format, Buffer.from(body));
        assert.equal(one.length, 16);
        assert.deepEqual(one, requestDigest(tenant, format, Buffer.from(body)));
        digests.add(one.toString('hex'));
      }
    }
  }
  assert.equal(digests.size, 18);
});

test('a digest is that of the bytes, wherever they lie', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat(16), (body, offset) => {
      const elsewhere = new Uint8Array(offset + body.length + 20).fill(0xaa);
      elsewhere.set(body, offset);
      assert.equal(hex(elsewhere.subarray(offset, offset + body.length)), hex(body));
    }),
  );
});

test('bodies that differ in any one bit, or in zeros at their ends, have other digests', () => {
  const body = new Uint8Array(67);
  const digests = new Set([hex(body)]);
  for (let bit = 0; bit < 8 * body.length; bit++) {
    const other = body.slice();
    other[bit >> 3]! ^= 1 << (bit & 7);
    digests.add(hex(other));
  }
  for (let length = 0; length < body.length; length++) digests.add(hex(body.subarray(0, length)));
  assert.equal(digests.size, 1 + 9 * body.length);
});

test('a digest of a body whose words count up has about as many ones as zeros at each place', () => {
  const ones = new Uint32Array(128);
  const count = 2000;
  for (let i = 0; i < count; i++) {
    const digest = requestDigest(
      DEFAULT_TENANT,
      'otlp_proto',
      new Uint8Array(Uint32Array.of(i).buffer),
    );
    for (let bit = 0; bit < 128; bit++) ones[bit]! += (digest[bit >> 3]! >> (bit & 7)) & 1;
  }
  for (const n of ones) assert.ok(Math.abs(n - count / 2) < 150, `${n} of ${count}`);
});

test('digests stay the same from version to version, since they are kept in the log', () => {
  assert.equal(hex(Buffer.from('spoor')), '7a8672464bdf24159e318bc9aacef2ed');
  const body = Uint8Array.from({ length: 12_345 }, (_, i) => i % 251);
  for (const [length, digest] of [
    [16, '3703877981d9153af0f99eb6fb8cc507'],
    [4096, '964ab354a84ed94711eadcbe65d3203d'],
    [4097, '6a38753dff6bb70156fb51727879114f'],
    [8208, '3636ca4fca9d9f3d0bed2a729728a00c'],
    [12_345, '1d1e95888e67eca9a4e45c3ffb4da1ac'],
  ] as const) {
    assert.equal(hex(body.subarray(0, length)), digest);
  }
});
