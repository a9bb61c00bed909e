// SPDX-License-Identifier: Apache-2.0
import { BatchBuilder } from '@spoor/core/model/batch-builder.ts';
import { SpoorError } from '@spoor/core/model/errors.ts';
import type { Tenant } from '@spoor/core/model/ids.ts';
import type { SpanBatch } from '@spoor/core/model/span-batch.ts';
import type { RequestRecord, StoredRequest } from '#storage/tracestore.ts';
import type { Admission } from './admission.ts';
import {
  type DecodeBody,
  decodeBetweenTurns,
  MAX_BATCH_SPANS,
  MAX_REQUEST_COLUMNS,
  resultOf,
  senderWentAway,
} from './body-decoding.ts';
import type { Gathering } from './quiet-turn.ts';
import { requestDigest } from './request-digest.ts';
import { RequestMemory } from './request-memory.ts';
import { mayBeOfOne } from './settle-all.ts';
import { createDecoder, type SpanDecoder } from './span-decoders.ts';
import type {
  IngestFormat,
  IngestOptions,
  IngestResult,
  Sender,
  TraceIngest,
} from './trace-ingest.ts';
import type { TraceSink } from './trace-sink.ts';
import { writeParts } from './write-parts.ts';

/** A batch is written at the latest with {@link MAX_BATCH_SPANS}, so many attribute keys … */
const MAX_BATCH_COLUMNS = 8192;
/** … or made of so many bytes of requests, or once it is large: an empty link of two bytes takes 32. */
const MAX_BATCH_BODY_BYTES = 2 << 20;

/** Larger bodies do not hold the event loop until they are decoded, and get batches of their own. */
const LARGE_BODY_BYTES = 512 << 10;

/** Builders kept for the next batch. */
const MAX_IDLE_BUILDERS = 4;

/** The batch that requests of one tenant are decoded into, and who waits for it. */
class OpenBatch {
  readonly builder: BatchBuilder;
  readonly requests: RequestRecord[] = [];
  /** Those that have spans in it. */
  bodies = 0;
  bodyBytes = 0;
  /** After the batch was refused for good: the end of those that were written again, each by itself. */
  alone: Promise<unknown> = Promise.resolve();
  readonly written: Promise<void>;
  resolve!: () => void;
  reject!: (error: unknown) => void;

  constructor(builder: BatchBuilder) {
    this.builder = builder;
    this.written = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
  }
}

/** What one tenant has under way on one way. */
interface TenantState {
  readonly way: Way;
  open: OpenBatch | undefined;
  writes: number;
  /** The open batch is about to be written. */
  isDue: boolean;
}

/** A way to where spans go; requests of different ways share no batch. */
interface Way {
  readonly sink: TraceSink;
  readonly tenants: Map<Tenant, TenantState>;
}

/** What a {@link TraceBatcher} may be given beside its sink. */
export interface TraceBatcherParts {
  readonly memory?: RequestMemory;
  /** Asked for each request once it is decoded. */
  readonly admit?: Admission;
  /** Where requests go whose senders cannot send them again; the same sink unless told. */
  readonly onceSink?: TraceSink;
  /** Decodes large bodies; between turns of the event loop unless told. */
  readonly decodeLarge?: DecodeBody;
  /** How a batch that could be written waits for what is about to come; not at all unless told. */
  readonly gather?: Gathering;
}

/**
 * Decodes requests into batches and writes them to a sink. Requests that arrive while a write is under way share the next
 * batch: under load batches become large by themselves, without any timer.
 */
export class TraceBatcher implements TraceIngest {
  readonly #memory: RequestMemory;
  readonly #admit: Admission;
  readonly #gather: Gathering;
  readonly #usual: Way;
  readonly #once: Way;
  readonly #decodeLarge: DecodeBody;
  readonly #idle: BatchBuilder[] = [];
  readonly #decoders = new Map<IngestFormat, SpanDecoder>();

  constructor(sink: TraceSink, parts: TraceBatcherParts = {}) {
    this.#memory = parts.memory ?? new RequestMemory();
    this.#admit = parts.admit ?? (() => undefined);
    this.#gather = parts.gather ?? ((_count, done) => done());
    this.#usual = { sink, tenants: new Map() };
    this.#decodeLarge = parts.decodeLarge ?? decodeBetweenTurns;
    const { onceSink } = parts;
    this.#once = onceSink === undefined ? this.#usual : { sink: onceSink, tenants: new Map() };
  }

  /** Takes over what a store knows of requests from before a restart. Call it once the store is open. */
  recall(requests: readonly StoredRequest[]): void {
    for (const request of requests) {
      const { digest, accepted, rejected, message, writtenUnixMs } = request;
      const answer = Promise.resolve({ accepted, rejected, message });
      this.#memory.put(Buffer.from(digest), answer, writtenUnixMs);
    }
  }

  ingest(
    tenant: Tenant,
    format: IngestFormat,
    body: Uint8Array,
    options: IngestOptions = {},
  ): Promise<IngestResult> {
    if (options.sender?.isGone === true) return Promise.reject(senderWentAway());
    if (body.length === 0) return Promise.resolve({ accepted: 0, rejected: 0, message: '' });
    if (options.once === true) return this.#take(tenant, format, body, undefined, options);
    const digest = requestDigest(tenant, format, body);
    const known = this.#memory.get(digest);
    if (known !== undefined) {
      return known.catch((error: unknown) => {
        if (!(error instanceof SpoorError && error.code === 'cancelled')) throw error;
        // The first sender went away, which says nothing of this one; its request is forgotten by now.
        return this.ingest(tenant, format, body, options);
      });
    }
    const answer = this.#take(tenant, format, body, digest, options);
    this.#memory.put(digest, answer);
    return answer;
  }

  /** @param digest undefined: the request is not to be remembered */
  #take(
    tenant: Tenant,
    format: IngestFormat,
    body: Uint8Array,
    digest: Uint8Array | undefined,
    { sender, once }: IngestOptions,
  ): Promise<IngestResult> {
    const way = once === true ? this.#once : this.#usual;
    const request = { tenant, format, body, digest };
    return body.length > LARGE_BODY_BYTES
      ? this.#ingestAlone(way, request, sender, this.#admit)
      : this.#ingestSmall(way, request);
  }

  async #ingestSmall(way: Way, request: TakenRequest): Promise<IngestResult> {
    const { tenant, format, body, digest } = request;
    const state = stateOf(way, tenant);
    const batch = (state.open ??= new OpenBatch(this.#idle.pop() ?? new BatchBuilder()));
    const { builder } = batch;
    const decoder = this.#decoder(format);
    const mark = builder.mark();
    builder.limitRequest(MAX_REQUEST_COLUMNS);
    try {
      decoder.begin(body);
      while (!decoder.decode(builder, Infinity));
      const { resource, resources, rows } = builder;
      if (rows > mark.rows) {
        this.#admit(tenant, [{ resource, resources, start: mark.rows, end: rows }]);
      }
    } catch (error) {
      builder.rollback(mark);
      if (builder.rows === 0) this.#discard(tenant, state, batch);
      throw error;
    }
    const result = resultOf(decoder);
    if (result.accepted === 0) {
      builder.rollback(mark);
      if (builder.rows === 0) this.#discard(tenant, state, batch);
      return result;
    }
    batch.bodies++;
    if (digest !== undefined) batch.requests.push(recordOf(digest, result));
    batch.bodyBytes += body.length;
    if (
      builder.rows >= MAX_BATCH_SPANS ||
      builder.columnCount >= MAX_BATCH_COLUMNS ||
      builder.isLarge ||
      batch.bodyBytes >= MAX_BATCH_BODY_BYTES
    ) {
      this.#write(tenant, state, batch);
    } else if (state.writes === 0) {
      this.#writeSoon(tenant, state);
    }
    try {
      await batch.written;
    } catch (error) {
      if (batch.bodies === 1 || !mayBeOfOne(error)) throw error;
      // One after the other: they were one write before.
      const alone = batch.alone.then(() => this.#ingestAlone(way, request));
      batch.alone = alone.catch(() => undefined);
      return await alone;
    }
    return result;
  }

  /**
   * Takes a request in batches of its own. Nothing of it is written before all of it was decoded: it is refused whole or taken.
   * @param admit asked once it is decoded; nobody is where that was done
   */
  async #ingestAlone(
    { sink }: Way,
    { tenant, format, body, digest }: TakenRequest,
    sender?: Sender,
    admit: Admission = () => undefined,
  ): Promise<IngestResult> {
    const decode = body.length > LARGE_BODY_BYTES ? this.#decodeLarge : decodeBetweenTurns;
    const { batches, result } = await decode(format, body, sender);
    const parts = batches.map(({ resource, resources, rows }) => ({
      resource,
      resources,
      start: 0,
      end: rows,
    }));
    if (parts.length > 0) admit(tenant, parts);
    // The digest goes with the last batch: it is known only once everything before it is on disk.
    const records = digest === undefined ? [] : [recordOf(digest, result)];
    await writeParts(batches, (batch, completes) =>
      completes ? sink.write(tenant, batch, records) : sink.write(tenant, batch),
    );
    return result;
  }

  /** Writes the open batch with what is about to come. */
  #writeSoon(tenant: Tenant, state: TenantState): void {
    if (state.isDue) return;
    state.isDue = true;
    this.#gather(
      () => state.open?.bodies ?? 0,
      () => {
        state.isDue = false;
        const batch = state.open;
        if (state.writes === 0 && batch !== undefined) {
          this.#write(tenant, state, batch);
        }
      },
    );
  }

  #write(tenant: Tenant, state: TenantState, batch: OpenBatch): void {
    state.open = undefined;
    let spans: SpanBatch;
    try {
      spans = batch.builder.finish();
    } catch (error) {
      // There was no memory for it.
      batch.reject(error);
      if (state.writes === 0) state.way.tenants.delete(tenant);
      return;
    }
    state.writes++;
    this.#keep(batch.builder);
    const goOn = (): void => {
      state.writes--;
      if (state.writes > 0) return;
      if (state.open !== undefined) this.#writeSoon(tenant, state);
      else state.way.tenants.delete(tenant);
    };
    state.way.sink.write(tenant, spans, batch.requests).then(
      () => {
        batch.resolve();
        goOn();
      },
      (error: unknown) => {
        batch.reject(error);
        goOn();
      },
    );
  }

  #decoder(format: IngestFormat): SpanDecoder {
    let decoder = this.#decoders.get(format);
    if (decoder === undefined) {
      decoder = createDecoder(format);
      this.#decoders.set(format, decoder);
    }
    return decoder;
  }

  #keep(builder: BatchBuilder): void {
    if (this.#idle.length < MAX_IDLE_BUILDERS) this.#idle.push(builder);
  }

  #discard(tenant: Tenant, state: TenantState, batch: OpenBatch): void {
    if (batch.bodies > 0 || state.open !== batch) return;
    state.open = undefined;
    batch.builder.clear();
    this.#keep(batch.builder);
    if (state.writes === 0) state.way.tenants.delete(tenant);
  }
}

/** A request whose bytes are all here. */
interface TakenRequest {
  readonly tenant: Tenant;
  readonly format: IngestFormat;
  readonly body: Uint8Array;
  /** Undefined: it is not to be remembered. */
  readonly digest: Uint8Array | undefined;
}

function stateOf(way: Way, tenant: Tenant): TenantState {
  let state = way.tenants.get(tenant);
  if (state === undefined) {
    state = { way, open: undefined, writes: 0, isDue: false };
    way.tenants.set(tenant, state);
  }
  return state;
}

function recordOf(digest: Uint8Array, result: IngestResult): RequestRecord {
  const { accepted, rejected, message } = result;
  return { digest, accepted, rejected, message };
}
