// SPDX-License-Identifier: Apache-2.0
import { parentPort } from 'node:worker_threads';

/** What the worker of the tests of `WorkerClient` is asked to do. */
export interface OddRequest {
  readonly id: number;
  /** `echo`: answer with what it was told; `hold`: answer nothing; otherwise end in this way. */
  readonly do: 'echo' | 'hold' | 'throw' | 'exit';
}

/** Everything that the worker was told without being asked, in order. */
export interface OddReply {
  readonly id: number;
  readonly told: readonly string[];
}

const told: string[] = [];

parentPort?.on('message', (message: OddRequest | string) => {
  if (typeof message === 'string') {
    told.push(message);
    return;
  }
  switch (message.do) {
    case 'echo':
      parentPort?.postMessage({ id: message.id, told } satisfies OddReply);
      return;
    case 'hold':
      return;
    case 'throw':
      throw new Error('out of luck');
    case 'exit':
      process.exit(3);
  }
});
