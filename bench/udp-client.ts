// SPDX-License-Identifier: Apache-2.0
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { readBodies } from '../server/src/cli/tracegen/corpus-file.ts';

/** Between two looks at the clock, ms. */
const PAUSE_MS = 1;

/**
 * Sends the datagrams of a file to a port of this machine, so many a second, from a given one on; prints what it did
 * as a line of JSON. Arguments: FILE PORT DATAGRAMS-PER-SECOND SECONDS FIRST.
 */
async function main(
  file: string,
  port: number,
  rate: number,
  seconds: number,
  first: number,
): Promise<void> {
  const total = Math.round(rate * seconds);
  const datagrams = Array.from(readBodies(file).drop(first).take(total), (body) =>
    Buffer.from(body),
  );
  const socket = createSocket('udp4');
  socket.connect(port, '127.0.0.1');
  await once(socket, 'connect');
  const startMs = performance.now();
  let sent = 0;
  let failed = 0;
  const count = (error: Error | null): void => {
    if (error !== null) failed++;
  };
  while (sent < total) {
    const due = Math.min(total, Math.floor(((performance.now() - startMs) / 1000) * rate));
    while (sent < due) socket.send(datagrams[sent++]!, count);
    await sleep(PAUSE_MS);
  }
  const elapsedMs = performance.now() - startMs;
  await new Promise<void>((resolve) => {
    socket.close(resolve);
  });
  process.stdout.write(`${JSON.stringify({ datagrams: sent - failed, elapsedMs })}\n`);
}

const [file = '', ...numbers] = process.argv.slice(2);
const [port = 0, rate = 0, seconds = 0, first = 0] = numbers.map(Number);
await main(file, port, rate, seconds, first);
