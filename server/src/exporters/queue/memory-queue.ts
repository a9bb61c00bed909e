// SPDX-License-Identifier: Apache-2.0
import { SpoorError } from '@spoor/core/model/errors.ts';
import type { ExportRequest } from '#exporters/sending/transport.ts';
import { settleAll } from '#pipeline/settle-all.ts';
import { WRITES_OF_ONE_BODY } from '#pipeline/trace-sink.ts';
import { afterTimeout, type Later } from '#later.ts';
import type { QueueFigures, SendingQueue, SendRequest } from './sending-queue.ts';

/** Options of a {@link MemoryQueue}. */
export interface MemoryQueueOptions {
  /** How errors call it: the path of the exporter's section. */
  readonly path: string;
  readonly send: SendRequest;
  /** Requests that are sent at the same time. So many writes, but some in any case, find room even if their requests have to wait. */
  readonly maxUnderWay: number;
  /** Bytes of requests of further writes that may wait for their turn; 0: none is taken. */
  readonly capacityBytes: number;
  /** Requests of further writes that may wait for their turn; any number unless told. */
  readonly capacityRequests?: number;
  readonly later?: Later;
}

/** When a sender should come again that found the queue full, in ms. */
const RETRY_AFTER_MS = 1000;

interface Waiting {
  readonly request: ExportRequest;
  readonly resolve: (sent: Promise<void>) => void;
  readonly reject: (error: SpoorError) => void;
}

/**
 * Sends a bounded number of requests at the same time and lets a bounded number of bytes wait. A request is safe only when a
 * server has taken it, so nothing is lost that was promised when the process ends.
 */
export class MemoryQueue implements SendingQueue {
  readonly #options: MemoryQueueOptions;
  readonly #abort = new AbortController();
  readonly #waiting: Waiting[] = [];
  #waitingBytes = 0;
  #writes = 0;
  #underWay = 0;
  #refusedSpans = 0;
  #isClosed = false;
  #onIdle: (() => void) | undefined;

  constructor(options: MemoryQueueOptions) {
    this.#options = options;
  }

  get figures(): QueueFigures {
    return {
      underWay: this.#underWay,
      usedBytes: this.#waitingBytes,
      capacityBytes: this.#options.capacityBytes,
      refusedSpans: this.#refusedSpans,
    };
  }

  start(): Promise<void> {
    return Promise.resolve();
  }

  async put(...requests: readonly ExportRequest[]): Promise<void> {
    if (this.#isClosed) throw closed(this.#options.path);
    this.#admit(requests);
    this.#writes++;
    try {
      await settleAll(requests.map((request) => this.#sendInTurn(request)));
    } finally {
      this.#writes--;
    }
  }

  #admit(requests: readonly ExportRequest[]): void {
    const { path, maxUnderWay, capacityBytes, capacityRequests = Infinity } = this.#options;
    if (this.#writes < Math.max(maxUnderWay, WRITES_OF_ONE_BODY)) return;
    const bytes = requests.reduce((sum, { body }) => sum + body.length, 0);
    const waiting = this.#waiting.length;
    const isFull = this.#waitingBytes + bytes > capacityBytes;
    if (!isFull && waiting + requests.length <= capacityRequests) return;
    this.#refusedSpans += requests.reduce((sum, { spans }) => sum + spans, 0);
    let held = `${waiting} requests wait, ${requests.length} more are over the limit of ${capacityRequests}`;
    if (capacityBytes === 0) held = `${this.#writes} writes are under way`;
    else if (isFull) {
      held = `${this.#waitingBytes} bytes wait, ${bytes} more are over the limit of ${capacityBytes}`;
    }
    throw new SpoorError('overloaded', `${path}: no room now: ${held}`, {
      retryAfterMs: RETRY_AFTER_MS,
    });
  }

  #sendInTurn(request: ExportRequest): Promise<void> {
    if (this.#underWay < this.#options.maxUnderWay) return this.#send(request);
    this.#waitingBytes += request.body.length;
    return new Promise((resolve, reject) => {
      this.#waiting.push({ request, resolve, reject });
    });
  }

  async shutdown(deadlineMs: number): Promise<void> {
    this.#isClosed = true;
    if (this.#underWay === 0) return;
    const idle = new Promise<void>((resolve) => (this.#onIdle = resolve));
    const cancel = (this.#options.later ?? afterTimeout)(() => this.#giveUp(), deadlineMs);
    await idle;
    cancel();
  }

  #giveUp(): void {
    for (const { reject } of this.#waiting.splice(0)) reject(closed(this.#options.path));
    this.#waitingBytes = 0;
    this.#abort.abort();
  }

  async #send(request: ExportRequest): Promise<void> {
    this.#underWay++;
    try {
      await this.#options.send(request, this.#abort.signal);
    } finally {
      this.#underWay--;
      this.#sendNext();
    }
  }

  #sendNext(): void {
    const next = this.#waiting.shift();
    if (next !== undefined) {
      this.#waitingBytes -= next.request.body.length;
      next.resolve(this.#send(next.request));
    } else if (this.#underWay === 0) this.#onIdle?.();
  }
}

function closed(path: string): SpoorError {
  return new SpoorError('unavailable', `${path}: it is closed`);
}
