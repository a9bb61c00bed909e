// SPDX-License-Identifier: Apache-2.0
import { SpoorError } from '@spoor/core/model/errors.ts';
import type { Tenant } from '@spoor/core/model/ids.ts';
import type { ReadOptions } from '#storage/tracestore.ts';
import { MAX_OVERLAPS_BYTES } from '../derived/overlaps-file.ts';
import type { Head } from '../head/head.ts';
import type { BlocksMessage } from '../live/known-blocks.ts';
import type { LiveBlocks } from '../live/live-blocks.ts';
import { Preparer } from './preparer.ts';
import type { Answers, QueryReply, QueryRequest, Question, WarmMessage } from './query-messages.ts';
import { type QuestionRank, RightOfWay } from './right-of-way.ts';
import type { StoreWork } from '../live/store-work.ts';
import type { TenantNumbers } from '../head/tenant-numbers.ts';
import { TenantTurns } from './tenant-turns.ts';
import type { Later } from '#later.ts';
import type { AskedWorker } from '#workers/worker-client.ts';

/** Nobody asked anything for so long: the next question will not come at once either. */
const REST_MS = 250;

/** A start is over by then. */
const START_MS = 1000;

/** What a {@link Querier} asks about, and whom. */
export interface QuerierParts {
  readonly worker: AskedWorker<QueryRequest, QueryReply>;
  readonly head: Pick<Head, 'pin'>;
  readonly blocks: Pick<LiveBlocks, 'has' | 'hold' | 'noteDamage' | 'readable'>;
  readonly tenants: Pick<TenantNumbers, 'find'>;
  readonly work: StoreWork;
  readonly later: Later;
  /** That this process may use. */
  readonly processors: number;
  /** Whether so many bytes can be written while others write too. */
  readonly hasRoomFor: (bytes: number) => boolean;
  /** @throws {SpoorError} unavailable while the store is not open */
  readonly checkOpen: () => void;
}

const ignore = (): void => {};

const NO_HEAD = { views: [], release: (): void => {} };

/** Takes questions to the query worker: tenant by tenant in turns, each with the state of the moment in which it is asked. */
export class Querier {
  readonly #worker: QuerierParts['worker'];
  readonly #head: QuerierParts['head'];
  readonly #blocks: QuerierParts['blocks'];
  readonly #tenants: QuerierParts['tenants'];
  readonly #work: StoreWork;
  readonly #hasRoomFor: QuerierParts['hasRoomFor'];
  readonly #checkOpen: () => void;
  readonly #later: Later;
  readonly #processors: number;
  readonly #turns = new TenantTurns();
  readonly #rightOfWay: RightOfWay;
  readonly #preparer: Preparer;
  /** Questions that somebody waits for, those that wait for their turn included. */
  #asked = 0;
  /** Resolves when the worker has answered all that it was asked in turn; undefined when it has. */
  #underWay: Promise<void> | undefined;
  #isClosed = false;
  /** Stops what nobody waits for. */
  #preparing: AbortController | undefined;
  /** Stops to wait until nobody has asked for a while. */
  #stopResting: (() => void) | undefined;

  constructor(parts: QuerierParts) {
    this.#worker = parts.worker;
    this.#head = parts.head;
    this.#blocks = parts.blocks;
    this.#tenants = parts.tenants;
    this.#work = parts.work;
    this.#hasRoomFor = parts.hasRoomFor;
    this.#checkOpen = parts.checkOpen;
    this.#later = parts.later;
    this.#rightOfWay = new RightOfWay(parts.later);
    this.#processors = parts.processors;
    this.#preparer = new Preparer({
      blocks: parts.blocks,
      prepare: (tenant) => this.#prepare(tenant),
    });
  }

  /** Tells of blocks that came and went. */
  change(message: BlocksMessage): void {
    this.#worker.notify(message);
    const { added, removed, unreadable } = message;
    for (const { tenant } of [...added, ...removed, ...unreadable]) this.#preparer.note(tenant);
  }

  /**
   * To be called when the blocks are known, before the store is open: has the worker begin, and take them in. With one processor it
   * only begins, since everything more would keep the process from being ready; the rest follows when nobody asks at first.
   */
  start(): void {
    void this.#preparer.start();
    const blockBytes = this.#blocks.readable().reduce((sum, block) => sum + block.sizeBytes, 0);
    this.#worker.notify({ blockBytes } satisfies WarmMessage);
    if (this.#processors > 1) return;
    this.#preparing?.abort();
    this.#rest(START_MS);
  }

  /** To be called every few seconds: has the worker take in what is new in the blocks while nobody asks; see {@link Preparer}. */
  tick(): void {
    void this.#preparer.tick();
  }

  /** Ends the worker. */
  close(): Promise<void> {
    this.#isClosed = true;
    this.#stopResting?.();
    return this.#worker.close();
  }

  /**
   * Asks when it is the tenant's turn; what takes long gives way, see {@link rankOf}.
   * @throws {SpoorError} what the worker answers; cancelled; overloaded
   */
  async ask<Kind extends Question['ask']>(
    tenant: Tenant,
    question: Extract<Question, { ask: Kind }>,
    { signal }: ReadOptions,
  ): Promise<Answers[Kind]> {
    this.#asked++;
    this.#stopResting?.();
    this.#preparing?.abort();
    let hadTurn = false;
    const askInTurn = (
      stop: AbortSignal | undefined,
      begin: () => void,
    ): Promise<Answers[Kind]> => {
      const askNow = (): Promise<Answers[Kind]> => {
        hadTurn = true;
        const answer = this.#askNow(tenant, question, stop);
        this.#whenBegun(answer, begin);
        return answer;
      };
      return this.#turns.take(tenant, signal, askNow, hadTurn);
    };
    try {
      return await this.#work.questions.count(() =>
        this.#rightOfWay.ask(rankOf(question), signal, askInTurn),
      );
    } finally {
      this.#asked--;
      if (this.#asked === 0 && !this.#isClosed) this.#rest(REST_MS);
    }
  }

  /** Calls `begin` when the worker has answered what came before: one question waits there for its turn. */
  #whenBegun(answer: Promise<unknown>, begin: () => void): void {
    const before = this.#underWay;
    const answered = answer.then(ignore, ignore).finally(() => {
      if (this.#underWay === answered) this.#underWay = undefined;
    });
    this.#underWay = answered;
    if (before === undefined) begin();
    else void before.then(begin);
  }

  #rest(ms: number): void {
    this.#stopResting = this.#later(() => void this.#preparer.resume(), ms);
  }

  /** One call at a time. @returns false when it was stopped, or did not begin, since somebody asked something */
  async #prepare(tenant: Tenant): Promise<boolean> {
    // It would come before questions that wait for their turn.
    if (this.#asked > 0) return false;
    this.#preparing = new AbortController();
    const { signal } = this.#preparing;
    try {
      await this.#askNow(
        tenant,
        { ask: 'prepare', hasRoom: this.#hasRoomFor(MAX_OVERLAPS_BYTES) },
        signal,
      );
      return true;
    } catch (error) {
      if (signal.aborted) return false;
      throw error;
    } finally {
      this.#preparing = undefined;
    }
  }

  /** Asks the query worker, with the state of this moment. */
  async #askNow<Kind extends Question['ask']>(
    tenant: Tenant,
    question: Extract<Question, { ask: Kind }>,
    signal: AbortSignal | undefined,
  ): Promise<Answers[Kind]> {
    // What is prepared is no answer, and begins before the store is open.
    if (question.ask !== 'prepare') this.#checkOpen();
    const cancel = new SharedArrayBuffer(4);
    // What is done in the background must not keep writes from the slabs.
    const { views, release } = question.ask === 'prepare' ? NO_HEAD : this.#head.pin();
    const releaseFiles = this.#blocks.hold();
    const onAbort = (): void => {
      Atomics.store(new Int32Array(cancel), 0, 1);
    };
    signal?.addEventListener('abort', onAbort);
    // It does not fire again.
    if (signal?.aborted === true) onAbort();
    try {
      const tenantNumber = this.#tenants.find(tenant);
      const reply = await this.#worker.request((id) => ({
        id,
        tenant,
        tenantNumber,
        slabs: views,
        cancel,
        question,
      }));
      this.#work.cache = reply.cache;
      this.#blocks.noteDamage(reply.damaged);
      // What it held is in a block that the question did not know of.
      const wasMerged = reply.damaged.some((block) => !this.#blocks.has(block));
      if (wasMerged) return await this.#askNow(tenant, question, signal);
      if (reply.error !== undefined) throw new SpoorError(reply.error.code, reply.error.message);
      // The worker answers each question with its own kind of answer.
      return reply.answer as Answers[Kind];
    } finally {
      signal?.removeEventListener('abort', onAbort);
      release();
      releaseFiles();
    }
  }
}

/**
 * Traces by their ids are known to take milliseconds. Of searches, lists and completions most do. What counts all spans may
 * take seconds at first, and goes on where it was when it is stopped.
 */
function rankOf({ ask }: Question): QuestionRank {
  switch (ask) {
    case 'get':
      return 'lookup';
    case 'dependencies':
    case 'metrics':
      return 'count';
    default:
      return 'search';
  }
}
