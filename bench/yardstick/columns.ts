// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { encodeTable } from './encode-table.ts';
import { SpanTable } from './span-table.ts';

/**
 * Yardstick: the least that turning OTLP into compressed columns can cost in Node.
 * `node columns.ts CORPUS` decodes the requests of a corpus file into columns, and sorts and compresses
 * every 32,768 spans. It prints `{"spans", "bytes", "cpuSeconds"}`; nothing is written to disk.
 */
const BLOCK_SPANS = 32_768;
/** Room for one request more; requests have at most 50,000 spans. */
const CAPACITY = BLOCK_SPANS + 50_000;

const [, , path = ''] = process.argv;
const data = readFileSync(path);
const before = process.cpuUsage();
let spans = 0;
let bytes = 0;
let table = new SpanTable(CAPACITY);
for (let at = 0; at < data.length;) {
  const length = data.readUInt32BE(at);
  table.decode(data.subarray(at + 4, at + 4 + length));
  at += 4 + length;
  if (table.rows >= BLOCK_SPANS || at === data.length) {
    spans += table.rows;
    bytes += encodeTable(table);
    table = new SpanTable(CAPACITY);
  }
}
const { user, system } = process.cpuUsage(before);
process.stdout.write(`${JSON.stringify({ spans, bytes, cpuSeconds: (user + system) / 1e6 })}\n`);
