// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findDrops } from './kernel-drops.ts';

const IPV4 = `   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
   20: 0100007F:1AAF 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 11 2 00000000aaaa 17
  300: 00000000:1AB0 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 12 2 00000000bbbb 0
`;
const IPV6 = `  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
   20: 00000000000000000000000001000000:1AAF 00000000000000000000000000000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 13 2 00000000cccc 4
   20: B80D01200000000000000000FF000000:1AAF 00000000000000000000000000000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 14 2 00000000dddd 5
`;

test('the drops of a socket are found by its address and port', () => {
  assert.equal(findDrops(IPV4, '127.0.0.1', 6831, true), 17);
  assert.equal(findDrops(IPV4, '0.0.0.0', 6832, true), 0);
  assert.equal(findDrops(IPV4, '127.0.0.1', 6832, true), undefined);
  assert.equal(findDrops(IPV6, '::1', 6831, true), 4);
  assert.equal(findDrops(IPV6, '2001:db8::ff', 6831, true), 5);
  assert.equal(findDrops(IPV6, '127.0.0.1', 6831, true), undefined);
  assert.equal(findDrops('', '::1', 6831, true), undefined);
});

test('on a machine of the other byte order addresses stand the other way around', () => {
  assert.equal(findDrops(IPV4.replace('0100007F', '7F000001'), '127.0.0.1', 6831, false), 17);
});
