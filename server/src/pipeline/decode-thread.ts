// SPDX-License-Identifier: Apache-2.0
import { setImmediate as nextTurn } from 'node:timers/promises';
import { SpoorError } from '@spoor/core/model/errors.ts';
import { SpanBatch } from '@spoor/core/model/span-batch.ts';
import { type AskedWorker, createThread } from '#workers/worker-client.ts';
import { type DecodeBody, type DecodedBody, senderWentAway } from './body-decoding.ts';
import { DecodeTurns } from './decode-turns.ts';
import type { DecodeReply, DecodeRequest } from './decode-worker.ts';
import type { IngestFormat } from './trace-ingest.ts';

/** Keys are objects, 65,536 of them at most for each body; all else is in buffers. */
const MAX_HEAP_MIB = 256;

/** Few senders have large bodies, and most of these have them all the time. Hostile ones leave hundreds of MiB to be given back. */
const IDLE_MS = 1000;

/** So that a small body need not wait for all of a large one, and a copy is ready when the thread has time. */
const MAX_UNDER_WAY = 3;

/** Of a body copied in one turn of the event loop: where memory is slow, some 20 ms. */
const COPY_BYTES = 4 << 20;

/** Makes the worker of a {@link DecodeThread}. */
export type CreateDecodeWorker = () => AskedWorker<DecodeRequest, DecodeReply>;

const createDecodeWorker: CreateDecodeWorker = () =>
  createThread(new URL('./decode-worker.ts', import.meta.url), {
    maxHeapMib: MAX_HEAP_MIB,
    idleMs: IDLE_MS,
    // It has nothing that others need.
    stopMs: 0,
  });

/**
 * A thread that decodes large bodies, a few in turns: whatever they hold, nobody else waits for it. It runs from the first such
 * body on, until there was none for a while. When it dies, each body that it had is decoded once more, alone: only one of which it
 * dies then is refused.
 */
export class DecodeThread {
  readonly #worker: AskedWorker<DecodeRequest, DecodeReply>;
  readonly #turns = new DecodeTurns(MAX_UNDER_WAY);

  constructor(createWorker: CreateDecodeWorker = createDecodeWorker) {
    this.#worker = createWorker();
  }

  /** Decodes a copy of a body. */
  readonly decode: DecodeBody = async (format, body, sender) => {
    if (sender?.isGone === true) throw senderWentAway();
    const leaving = new AbortController();
    sender?.whenGone(() => leaving.abort());
    const left = leaving.signal;
    const ask = (): Promise<DecodedBody | Death> => this.#ask(format, body, left);
    let decoded = await this.#turns.take(left, ask);
    if (decoded instanceof Death) decoded = await this.#turns.takeAll(left, ask);
    if (!(decoded instanceof Death)) return decoded;
    const { cause } = decoded;
    throw new SpoorError('internal', 'ingest: the body cannot be decoded', { cause });
  };

  /** Ends the thread; what it was asked is rejected. */
  async shutdown(): Promise<void> {
    await this.#worker.close();
  }

  async #ask(
    format: IngestFormat,
    body: Uint8Array,
    left: AbortSignal,
  ): Promise<DecodedBody | Death> {
    const copy = await copyInTurns(body);
    if (left.aborted) throw senderWentAway();
    const cancel = new SharedArrayBuffer(4);
    left.addEventListener('abort', () => Atomics.store(new Int32Array(cancel), 0, 1));
    let reply: DecodeReply;
    try {
      reply = await this.#worker.request(
        (id) => ({ id, format, body: copy, cancel }),
        [copy.buffer],
      );
    } catch (error) {
      if (error instanceof SpoorError && error.code === 'internal') return new Death(error);
      throw error;
    }
    // For want of memory, which those beside it may have taken.
    if ('fault' in reply && reply.fault instanceof RangeError) return new Death(reply.fault);
    if ('fault' in reply) throw reply.fault;
    if ('error' in reply) throw new SpoorError(reply.error.code, reply.error.message);
    return { batches: reply.batches.map((bytes) => new SpanBatch(bytes)), result: reply.result };
  }
}

/** The thread died before it had an answer, or had no memory for it. */
class Death {
  readonly cause: Error;

  constructor(cause: Error) {
    this.cause = cause;
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
