// SPDX-License-Identifier: Apache-2.0
import { checkNotStopping, serveMessages } from '../worker-thread.ts';

/** What the worker of the tests of `WorkerClient` is asked to do. */
export interface OddRequest {
  readonly id: number;
  /**
   * `echo`: answer with what it was told; `nest`: so deeply nested that only a worker's stack is large enough for it; `hold`: answer nothing; `work`: until it is to end; `hang`: never come to an
   * end; otherwise end in this way.
   */
  readonly do: 'echo' | 'nest' | 'hold' | 'work' | 'hang' | 'throw' | 'exit';
}

/** Everything that the worker was told without being asked, in order. */
export interface OddReply {
  readonly id: number;
  readonly told: readonly string[];
  readonly nested?: readonly unknown[];
}

const told: string[] = [];

serveMessages((message: OddRequest | string): OddReply | undefined => {
  if (typeof message === 'string') {
    told.push(message);
    return undefined;
  }
  switch (message.do) {
    case 'echo':
      return { id: message.id, told };
    case 'nest': {
      let nested: unknown[] = [];
      for (let depth = 0; depth < 10_000; depth++) nested = [nested];
      return { id: message.id, told, nested };
    }
    case 'hold':
      return undefined;
    case 'work':
      for (;;) checkNotStopping();
    case 'hang':
      for (;;);
    case 'throw':
      throw new Error('out of luck');
    case 'exit':
      process.exit(3);
  }
});
