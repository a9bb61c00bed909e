// SPDX-License-Identifier: Apache-2.0
import { setImmediate as nextTurn } from 'node:timers/promises';
import { BatchBuilder } from '@spoor/core/model/batch-builder.ts';
import { SpoorError } from '@spoor/core/model/errors.ts';
import type { Tenant } from '@spoor/core/model/ids.ts';
import type { SpanBatch } from '@spoor/core/model/span-batch.ts';
import { OtlpProtoDecoder } from '@spoor/core/wire/otlp/decode.ts';
import { OtlpJsonDecoder } from '@spoor/core/wire/otlp/decode-json.ts';
import type { RequestRecord, TraceWriter } from '#storage/tracestore.ts';
import { requestDigest, RequestMemory } from './request-memory.ts';
import type { IngestFormat, IngestResult, TraceIngest } from './trace-ingest.ts';

/** A batch is written at the latest with so many spans … */
const MAX_BATCH_SPANS = 4096;
/** … or made of so many bytes of requests. */
const MAX_BATCH_BODY_BYTES = 2 << 20;

/** Larger bodies are decoded in slices between turns of the event loop, in a builder of their own. */
const SLICED_BODY_BYTES = 1 << 20;
/** Spans of a slice: some 3 ms. */
const SLICE_SPANS = 1024;

/** Builders kept for the next batch. */
const MAX_IDLE_BUILDERS = 4;

/** The batch that requests of one tenant are decoded into, and who waits for it. */
class OpenBatch {
  readonly builder: BatchBuilder;
  readonly requests: RequestRecord[] = [];
  bodyBytes = 0;
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

/** What one tenant has under way. */
interface TenantState {
  open: OpenBatch | undefined;
  writes: number;
}

/**
 * Decodes requests into batches and writes them to a store. Requests that arrive while a write is under way share the next
 * batch: under load batches become large by themselves, without any timer.
 */
export class TraceBatcher implements TraceIngest {
  readonly #store: TraceWriter;
  readonly #memory: RequestMemory;
  readonly #tenants = new Map<Tenant, TenantState>();
  readonly #idle: BatchBuilder[] = [];
  readonly #proto = new OtlpProtoDecoder();
  readonly #json = new OtlpJsonDecoder();

  constructor(store: TraceWriter, memory = new RequestMemory()) {
    this.#store = store;
    this.#memory = memory;
  }

  /** Takes over what the store knows of requests from before a restart. Call it once the store is open. */
  recall(): void {
    for (const request of this.#store.recentRequests()) {
      const { digest, accepted, rejected, message, writtenUnixMs } = request;
      const answer = Promise.resolve({ accepted, rejected, message });
      this.#memory.put(Buffer.from(digest), answer, writtenUnixMs);
    }
  }

  async ingest(
    tenant: Tenant,
    format: IngestFormat,
    body: Uint8Array,
    options: { signal?: AbortSignal } = {},
  ): Promise<IngestResult> {
    if (options.signal?.aborted === true) {
      throw new SpoorError('cancelled', 'ingest: the sender went away');
    }
    if (body.length === 0) return { accepted: 0, rejected: 0, message: '' };
    const digest = requestDigest(tenant, format, body);
    const known = this.#memory.get(digest);
    if (known !== undefined) {
      try {
        return await known;
      } catch (error) {
        if (!(error instanceof SpoorError && error.code === 'cancelled')) throw error;
        // The first sender went away, which says nothing of this one; its request is forgotten by now.
        return this.ingest(tenant, format, body, options);
      }
    }
    const answer =
      body.length > SLICED_BODY_BYTES
        ? this.#ingestLarge(tenant, format, body, digest, options.signal)
        : this.#ingestSmall(tenant, format, body, digest);
    this.#memory.put(digest, answer);
    return answer;
  }

  async #ingestSmall(
    tenant: Tenant,
    format: IngestFormat,
    body: Uint8Array,
    digest: Uint8Array,
  ): Promise<IngestResult> {
    const state = this.#state(tenant);
    const batch = (state.open ??= new OpenBatch(this.#idle.pop() ?? new BatchBuilder()));
    const { builder } = batch;
    const decoder = format === 'otlp_json' ? this.#json : this.#proto;
    const mark = builder.mark();
    try {
      decoder.begin(body);
      while (!decoder.decode(builder, Infinity));
    } catch (error) {
      builder.rollback(mark);
      if (builder.rows === 0) this.#discard(tenant, state, batch);
      throw error;
    }
    const { accepted, rejected, rejectedMessage: message } = decoder;
    if (accepted === 0) {
      builder.rollback(mark);
      if (builder.rows === 0) this.#discard(tenant, state, batch);
      return { accepted, rejected, message };
    }
    batch.requests.push({ digest, accepted, rejected, message });
    batch.bodyBytes += body.length;
    if (
      state.writes === 0 ||
      builder.rows >= MAX_BATCH_SPANS ||
      batch.bodyBytes >= MAX_BATCH_BODY_BYTES
    ) {
      this.#write(tenant, state, batch);
    }
    await batch.written;
    return { accepted, rejected, message };
  }

  /** Nothing of a large request is written before all of it was decoded: it is refused whole or taken. */
  async #ingestLarge(
    tenant: Tenant,
    format: IngestFormat,
    body: Uint8Array,
    digest: Uint8Array,
    signal: AbortSignal | undefined,
  ): Promise<IngestResult> {
    const decoder = format === 'otlp_json' ? new OtlpJsonDecoder() : new OtlpProtoDecoder();
    const builder = new BatchBuilder(SLICE_SPANS);
    const batches: SpanBatch[] = [];
    decoder.begin(body);
    while (!decoder.decode(builder, SLICE_SPANS)) {
      if (builder.rows >= MAX_BATCH_SPANS) batches.push(builder.finish());
      await nextTurn();
      if (signal?.aborted === true) {
        throw new SpoorError('cancelled', 'ingest: the sender went away');
      }
    }
    if (builder.rows > 0) batches.push(builder.finish());
    const { accepted, rejected, rejectedMessage: message } = decoder;
    // The digest goes with the last batch: it is known only once everything before it is on disk.
    const last = batches.pop();
    if (last !== undefined) {
      await Promise.all(batches.map((batch) => this.#store.write(tenant, batch)));
      await this.#store.write(tenant, last, [{ digest, accepted, rejected, message }]);
    }
    return { accepted, rejected, message };
  }

  #write(tenant: Tenant, state: TenantState, batch: OpenBatch): void {
    state.open = undefined;
    state.writes++;
    const spans = batch.builder.finish();
    this.#keep(batch.builder);
    const goOn = (): void => {
      state.writes--;
      if (state.open !== undefined && state.writes === 0) this.#write(tenant, state, state.open);
      else if (state.open === undefined && state.writes === 0) this.#tenants.delete(tenant);
    };
    this.#store.write(tenant, spans, batch.requests).then(
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

  #keep(builder: BatchBuilder): void {
    if (this.#idle.length < MAX_IDLE_BUILDERS) this.#idle.push(builder);
  }

  #discard(tenant: Tenant, state: TenantState, batch: OpenBatch): void {
    if (batch.requests.length > 0 || state.open !== batch) return;
    state.open = undefined;
    batch.builder.clear();
    this.#keep(batch.builder);
    if (state.writes === 0) this.#tenants.delete(tenant);
  }

  #state(tenant: Tenant): TenantState {
    let state = this.#tenants.get(tenant);
    if (state === undefined) {
      state = { open: undefined, writes: 0 };
      this.#tenants.set(tenant, state);
    }
    return state;
  }
}
