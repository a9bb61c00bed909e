// SPDX-License-Identifier: Apache-2.0
import { SpoorError } from '@spoor/core/model/errors.ts';
import type { WorkerFiles } from '../files/store-files.ts';
import type { CreateWorker } from '#workers/worker-client.ts';

/** What the module of a worker exports. */
interface WorkerModule {
  readonly createAnswerer: (files: WorkerFiles) => (message: unknown) => unknown;
}

/** Makes workers that run on the calling thread, on these files: the code of the real ones, without threads. */
export function inlineWorkers(files: WorkerFiles): CreateWorker {
  return (script, { greeting }) => {
    let answerer: Promise<(message: unknown) => unknown> | undefined;
    let last: Promise<unknown> = Promise.resolve();
    let isClosed = false;
    let nextId = 1;
    /** In the order of the calls, each in a turn of its own, as a thread gets its messages. */
    const send = (message: unknown): Promise<unknown> => {
      const answered = last.then(async () => {
        const answer = await answerer!;
        await new Promise((resolve) => setImmediate(resolve));
        if (isClosed) throw new SpoorError('unavailable', 'the store is closed');
        return answer(message);
      });
      last = answered.catch(() => undefined);
      return answered;
    };
    return {
      request: (make) => {
        if (answerer === undefined) {
          // Each worker of the store is such a module.
          answerer = import(script.href).then((module) =>
            (module as WorkerModule).createAnswerer(files),
          );
          if (greeting !== undefined) void send(greeting());
        }
        // The answer to a request has the type that the request says.
        return send(make(nextId++)) as Promise<never>;
      },
      notify: (message) => {
        if (answerer !== undefined) void send(message);
      },
      close: async () => {
        isClosed = true;
        await last;
      },
    };
  };
}
