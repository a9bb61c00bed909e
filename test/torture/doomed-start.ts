// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePorts } from '../../server/src/config/testing/free-ports.ts';

const MAIN = fileURLToPath(new URL('../../server/src/main.ts', import.meta.url));

/** When a start is cut: so long after its begin, or after the moment when the store begins to open. */
export type StartCut =
  | { readonly from: 'spawn'; readonly afterMs: number }
  | { readonly from: 'opening'; readonly afterMs: number };

/** A start that hangs is cut at last. */
const LIMIT_MS = 30_000;
const POLL_MS = 2;

/** How far a start came before it was killed. */
export type StartProgress = 'loading' | 'opening' | 'ready';

/** Starts a server on a data directory and kills it with SIGKILL before it is of any use. */
export async function startAndKill(directory: string, cut: StartCut): Promise<StartProgress> {
  const healthPort = await freePort();
  const sets = [...freePorts(), `telemetry.health.endpoint=127.0.0.1:${healthPort}`].flatMap(
    (set) => ['--set', set],
  );
  const child = spawn(process.execPath, [MAIN, '--data', directory, ...sets], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const ended = once(child, 'close');
  let log = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (log += text));
  // The health port listens before the store opens.
  let opening = false;
  if (cut.from === 'opening') {
    const giveUpMs = performance.now() + LIMIT_MS;
    while (!(opening = await listens(healthPort)) && performance.now() < giveUpMs) {
      await sleep(POLL_MS);
    }
  }
  await sleep(cut.afterMs);
  opening ||= await listens(healthPort);
  child.kill('SIGKILL');
  await ended;
  if (log.includes('"spoor is ready"')) return 'ready';
  return opening ? 'opening' : 'loading';
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  // A server on a TCP port has an address of this shape.
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

async function listens(port: number): Promise<boolean> {
  return await new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}
