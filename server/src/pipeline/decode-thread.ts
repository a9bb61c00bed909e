// SPDX-License-Identifier: Apache-2.0
import { setImmediate as nextTurn } from 'node:timers/promises';
import { SpoorError } from '@spoor/core/model/errors.ts';
import { SpanBatch } from '@spoor/core/model/span-batch.ts';
import { type AskedWorker, createThread } from '#workers/worker-client.ts';
import { type DecodeBody, senderWentAway } from './body-decoding.ts';
import type { DecodeReply, DecodeRequest } from './decode-worker.ts';

/** Keys are objects, 65,536 of them at most for each body; all else is in buffers. */
const MAX_HEAP_MIB = 256;

/** Few senders have large bodies, and most of these have them all the time. Hostile ones leave hundreds of MiB to be given back. */
const IDLE_MS = 5000;

/** Of a body copied in one turn of the event loop: where memory is slow, some 20 ms. */
const COPY_BYTES = 4 << 20;

/**
 * A thread that decodes large bodies, several in turns: whatever they hold, nobody else waits for it. It runs from the first such
 * body on, until there was none for a while.
 */
export class DecodeThread {
  readonly #worker: AskedWorker<DecodeRequest, DecodeReply> = createThread(
    new URL('./decode-worker.ts', import.meta.url),
    { maxHeapMib: MAX_HEAP_MIB, idleMs: IDLE_MS },
  );

  /** Decodes a copy of a body. */
  readonly decode: DecodeBody = async (format, body, sender) => {
    const copy = await copyInTurns(body);
    if (sender?.isGone === true) throw senderWentAway();
    const cancel = new SharedArrayBuffer(4);
    sender?.whenGone(() => Atomics.store(new Int32Array(cancel), 0, 1));
    const reply = await this.#worker.request(
      (id) => ({ id, format, body: copy, cancel }),
      [copy.buffer],
    );
    if ('error' in reply) throw new SpoorError(reply.error.code, reply.error.message);
    return { batches: reply.batches.map((bytes) => new SpanBatch(bytes)), result: reply.result };
  };

  /** Ends the thread; what it was asked is rejected. */
  async shutdown(): Promise<void> {
    await this.#worker.close();
  }
}

async function copyInTurns(body: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  const copy = new Uint8Array(body.length);
  for (let at = 0; at < body.length; at += COPY_BYTES) {
    if (at > 0) await nextTurn();
    copy.set(body.subarray(at, at + COPY_BYTES), at);
  }
  return copy;
}
