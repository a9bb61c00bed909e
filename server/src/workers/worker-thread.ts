// SPDX-License-Identifier: Apache-2.0
import { parentPort, workerData } from 'node:worker_threads';
import { SpoorError } from '@spoor/core/model/errors.ts';

/** What a worker is started with. */
export interface WorkerThreadData {
  /** URL of the module that does its work. */
  readonly script: string;
  /** Four bytes; not zero as soon as the thread is to end. */
  readonly stop: SharedArrayBuffer;
}

const stop = stopFlag();

function stopFlag(): Int32Array | undefined {
  const buffer: unknown = (workerData as Partial<WorkerThreadData> | null)?.stop;
  return buffer instanceof SharedArrayBuffer ? new Int32Array(buffer) : undefined;
}

function isStopping(): boolean {
  return stop !== undefined && Atomics.load(stop, 0) !== 0;
}

/**
 * To be called every few milliseconds of work, so that a thread can be asked to end; never throws on other threads.
 * @throws {SpoorError} unavailable
 */
export function checkNotStopping(): void {
  if (isStopping()) throw new SpoorError('unavailable', 'the server is stopping');
}

/**
 * Answers what this thread is told, one message after the other, until it is to end; does nothing on the main thread.
 * @param answer gives undefined for what needs no answer
 * @param moved buffers that are given away with an answer
 */
export function serveMessages<Message, Reply>(
  answer: (message: Message) => Reply | undefined,
  moved: (message: Message, reply: Reply) => ArrayBuffer[] = () => [],
): void {
  const port = parentPort;
  port?.on('message', (message: Message) => {
    if (isStopping()) {
      port.close();
      return;
    }
    const reply = answer(message);
    if (reply !== undefined) port.postMessage(reply, moved(message, reply));
  });
}

/**
 * As {@link serveMessages} for answers that take long: an answer yields now and then, and then the next one goes on.
 * @param answer every message has one
 */
export function serveInTurns<Message, Reply>(
  answer: (message: Message) => Generator<void, Reply, void>,
  moved: (reply: Reply) => ArrayBuffer[],
): void {
  const port = parentPort;
  const underWay: Generator<void, Reply, void>[] = [];
  const turn = (): void => {
    const one = isStopping() ? undefined : underWay.shift();
    if (one === undefined) return;
    const step = one.next();
    if (step.done === true) port?.postMessage(step.value, moved(step.value));
    else underWay.push(one);
    if (underWay.length > 0) setImmediate(turn);
  };
  port?.on('message', (message: Message) => {
    if (isStopping()) {
      port.close();
      return;
    }
    if (underWay.push(answer(message)) === 1) setImmediate(turn);
  });
}
