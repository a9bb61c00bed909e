// SPDX-License-Identifier: Apache-2.0
import { availableParallelism } from 'node:os';
import { SpoorError } from '@spoor/core/model/errors.ts';
import { type Tenant, traceIdBytes, type TraceId } from '@spoor/core/model/ids.ts';
import { SpanBatch } from '@spoor/core/model/span-batch.ts';
import { type Operation, unpackOperations } from '@spoor/core/query/operation-list.ts';
import type { TracePage, TraceQuery } from '@spoor/core/query/trace-query.ts';
import { unpackDependencies } from '#storage/dependency-table.ts';
import { unpackSpanMetrics } from '#storage/span-metrics-table.ts';
import type {
  AttributeCounts,
  AttributeName,
  AttributeQuery,
  AttributeText,
  AttributeValuesQuery,
  Dependency,
  DependencyQuery,
  ReadOptions,
  RequestRecord,
  SpanMetrics,
  SpanMetricsQuery,
  StoredRequest,
  StoreDamage,
  StoreFigures,
  TraceStore,
  WholeTraces,
  UnreadableSpans,
} from '#storage/tracestore.ts';
import type { ColumnarStoreOptions } from './columnar-store-options.ts';
import { Compactor } from './compaction/compactor.ts';
import type { DeleteOptions } from './compaction/deletion.ts';
import { GuardedClock } from './compaction/guarded-clock.ts';
import type { SpanSelection } from './compaction/span-selection.ts';
import { DamageReport } from './directory/damage-report.ts';
import { DataDirectory } from './directory/data-directory.ts';
import { directoryError, lostDirectory } from './directory/directory-error.ts';
import { DISK_FILES } from './directory/disk-files.ts';
import { DiskSpace } from './files/disk-space.ts';
import { Head } from './head/head.ts';
import { LiveBlocks } from './live/live-blocks.ts';
import type { Manifest } from './manifest/manifest.ts';
import { Querier } from './query/querier.ts';
import type { Answers, QueryReply, QueryRequest } from './query/query-messages.ts';
import type { SealReply, SealRequest } from './sealing/seal-worker.ts';
import { Sealer } from './sealing/sealer.ts';
import { startLog } from './live/log-start.ts';
import { SpanWriter } from './live/span-writer.ts';
import { storeFigures } from './store-figures.ts';
import { isOutOfSpace, makeDurableDir, type StoreFiles } from './files/store-files.ts';
import { StoreWork } from './live/store-work.ts';
import { TenantNumbers } from './head/tenant-numbers.ts';
import { afterTimeout, type Later } from '#later.ts';
import type { Wal } from './wal/wal.ts';
import { type AskedWorker, createThread } from '#workers/worker-client.ts';

/** A head that got nothing for so long is sealed, so that a quiet store has everything in blocks. */
const QUIET_MS = 60_000;

/**
 * So is one whose oldest batch waits for so long: where there is always a little, it would wait for days, and what looks only at blocks,
 * as retention does, would not know of it. A tenant has 23 blocks a day from this at most, which merging makes one of with 3 merges; ten
 * minutes would make 143, and 19 merges.
 */
const MAX_WAIT_MS = 3_600_000;

/** A request that came earlier is no resend. */
const REQUEST_MEMORY_MS = 15 * 60_000;

/** More than is written within a second, with what the seals of three slabs take. */
const DEFAULT_MIN_FREE_BYTES = 64 << 20;

/** Of those with spans in the head: each costs a block when that is sealed. */
const DEFAULT_MAX_TENANTS = 1000;

/** Traces that the query worker is asked for at once; of large ones it gives some at a time. */
const TRACES_PER_READ = 16;

/** Heap of a worker beyond its buffers, which are not counted. */
const WORKER_HEAP_MIB = 512;

/** Where slabs fill more slowly than this, starting the worker anew costs less than keeping its memory. */
const SEALER_IDLE_MS = 30_000;

/** What there is while the store is open. */
interface OpenParts {
  readonly lock: ReturnType<StoreFiles['lock']>;
  readonly manifest: Manifest;
  readonly wal: Wal;
}

/**
 * The embedded store: a write-ahead log, a head of shared slabs, and blocks of columns.
 *
 * A write is copied into a slab, appended to the log from there, and becomes visible when the log is durable. A full slab
 * is sealed into blocks by a worker; the manifest's commit moves its spans from the head to the blocks in one step. Questions
 * go to a second worker with the state at the moment they were asked, in which every span is in exactly one place.
 */
export class ColumnarStore implements TraceStore {
  readonly #dir: string;
  readonly #logger: ColumnarStoreOptions['logger'];
  readonly #segmentBytes: number | undefined;
  readonly #isAsked: boolean | undefined;
  readonly #nowMs: () => number;
  /** Time since some moment, which nobody can set. */
  readonly #passedMs: () => number;
  readonly #clock: GuardedClock;
  readonly #files: StoreFiles;
  readonly #later: Later;
  readonly #space: DiskSpace;
  readonly #head: Head;
  readonly #sealer: Sealer;
  readonly #querier: Querier;
  readonly #compactor: Compactor;
  readonly #blocks: LiveBlocks;
  readonly #tenants: TenantNumbers;
  readonly #writer: SpanWriter;
  #open: OpenParts | undefined;
  /** The manifest while the log is read back, when a slab can become full before the store is open. */
  #replaying: Manifest | undefined;
  #closing = false;
  /** The start that was begun, and the shutdown: each is one, however often it is called. */
  #started: Promise<void> | undefined;
  #closed: Promise<void> | undefined;
  /** Until somebody takes them. */
  #requests: readonly StoredRequest[] = [];
  readonly #damage: DamageReport;
  #workTimer: NodeJS.Timeout | undefined;
  readonly #work = new StoreWork();
  readonly #isPatient: boolean;
  /** Rejects when spans cannot be sealed, unless the store is patient. */
  readonly #sealFailure = Promise.withResolvers<never>();

  constructor(options: ColumnarStoreOptions) {
    this.#dir = options.dir;
    this.#logger = options.logger;
    this.#damage = new DamageReport(options.logger);
    const maxTenants = options.maxTenants ?? DEFAULT_MAX_TENANTS;
    this.#tenants = new TenantNumbers(maxTenants);
    this.#segmentBytes = options.segmentBytes;
    this.#isAsked = options.isAsked;
    this.#isPatient = options.isPatient ?? true;
    // Those who wait for a seal are told.
    this.#sealFailure.promise.catch(() => undefined);
    this.#nowMs = options.nowMs ?? Date.now;
    this.#passedMs = options.nowMs ?? (() => performance.now());
    this.#files = options.files ?? DISK_FILES;
    this.#later = options.later ?? afterTimeout;
    this.#space = new DiskSpace({
      files: this.#files,
      dir: options.dir,
      minFreeBytes: options.minFreeBytes ?? DEFAULT_MIN_FREE_BYTES,
      takenBytes: () => this.#head.sealBytes,
      later: this.#later,
      logger: options.logger,
      onLost: () => this.#abandon(),
    });
    this.#clock = new GuardedClock({
      nowMs: this.#nowMs,
      passedMs: this.#passedMs,
      logger: options.logger,
    });
    this.#head = new Head({
      seal: (slab) => this.#sealer.seal(slab),
      ...(options.slabRows === undefined ? {} : { slabRows: options.slabRows }),
    });
    this.#writer = new SpanWriter({
      head: this.#head,
      tenants: this.#tenants,
      maxTenants,
      space: this.#space,
      nowMs: this.#nowMs,
      passedMs: this.#passedMs,
      // As in a quiet store.
      sealPauseMs: QUIET_MS,
    });
    this.#blocks = new LiveBlocks({
      dir: this.#dir,
      damage: this.#damage,
      unlink: (path) => this.#files.unlink(path),
      manifest: () => this.#replaying ?? this.#opened().manifest,
      tell: (message) => {
        sealWorker.notify(message);
        this.#querier.change(message);
      },
    });
    const createWorker = options.createWorker ?? createThread;
    const allBlocks = (): unknown => this.#blocks.message();
    const sealWorker: AskedWorker<SealRequest, SealReply> = createWorker(
      new URL('./sealing/seal-worker.ts', import.meta.url),
      { maxHeapMib: WORKER_HEAP_MIB, greeting: allBlocks, idleMs: SEALER_IDLE_MS },
    );
    const queryWorker: AskedWorker<QueryRequest, QueryReply> = createWorker(
      new URL('./query/query-worker.ts', import.meta.url),
      { maxHeapMib: WORKER_HEAP_MIB, greeting: allBlocks },
    );
    this.#sealer = this.#makeSealer(sealWorker);
    this.#querier = new Querier({
      worker: queryWorker,
      head: this.#head,
      blocks: this.#blocks,
      tenants: this.#tenants,
      work: this.#work,
      later: this.#later,
      processors: availableParallelism(),
      hasRoomFor: (bytes) => this.#space.hasRoomFor(bytes),
      checkOpen: () => void this.#opened(),
    });
    this.#compactor = new Compactor({
      createWorker,
      logger: this.#logger,
      clock: this.#clock,
      passedMs: this.#passedMs,
      retention: options.retention ?? {},
      dir: this.#dir,
      mergeFanIn: options.mergeFanIn,
      blocks: this.#blocks,
      hasRoomFor: async (bytes) => {
        await this.#space.look();
        return this.#space.hasRoomFor(bytes);
      },
    });
  }

  #makeSealer(worker: AskedWorker<SealRequest, SealReply>): Sealer {
    return new Sealer({
      dir: this.#dir,
      // Otherwise who waits is told, once.
      logger: this.#isPatient ? this.#logger : { error: () => undefined },
      later: this.#later,
      worker,
      blocks: this.#blocks,
      space: this.#space,
      tenants: this.#tenants,
      work: this.#work,
      clock: this.#clock,
      onFailure: (error) => {
        // Who waited for room would wait for an unknown time. What is read back at the start has nobody to try again.
        if (error === undefined || this.#replaying === undefined || !this.#isPatient) {
          this.#head.refuseWaiting(error);
        }
        if (error !== undefined && !this.#isPatient) this.#sealFailure.reject(error);
      },
      onSealed: (uptoSequence) => {
        this.#open?.wal.release(uptoSequence);
        this.#compactor.check();
      },
    });
  }

  async start(): Promise<void> {
    this.#checkNotClosing();
    this.#started ??= this.#start();
    await this.#started;
  }

  /** Opens the directory. When it fails, or the store is shut down meanwhile, nothing is left open. */
  async #start(): Promise<void> {
    let lock: OpenParts['lock'] | undefined;
    let manifest: Manifest | undefined;
    let wal: Wal | undefined;
    try {
      await makeDurableDir(this.#files, this.#dir);
      this.#checkNotClosing();
      lock = this.#files.lock(this.#dir);
      await this.#space.start(lock);
      this.#checkNotClosing();
      const directory = await DataDirectory.read({
        files: this.#files,
        dir: this.#dir,
        damage: this.#damage,
        nowUnixMs: this.#nowMs,
      });
      manifest = directory.manifest;
      this.#checkNotClosing();
      await directory.begin();
      this.#checkNotClosing();
      this.#replaying = manifest;
      this.#startClock();
      await this.#takeBack(directory);
      this.#checkNotClosing();
      if (this.#isAsked === true) this.#querier.start();
      const log = await startLog({
        files: this.#files,
        directory,
        damage: this.#damage,
        head: this.#head,
        tenants: this.#tenants,
        recentUnixMs: this.#nowMs() - REQUEST_MEMORY_MS,
        nowMs: this.#nowMs,
        passedMs: this.#passedMs,
        later: this.#later,
        claimRoom: (bytes) => this.#space.claim(bytes),
        ...(this.#segmentBytes === undefined ? {} : { segmentBytes: this.#segmentBytes }),
      });
      wal = log.wal;
      this.#checkNotClosing();
      this.#blocks.setWaiting(directory.waiting);
      // What is sealed meanwhile must not have copies of it.
      await this.#blocks.alone(() => this.#takeBack(directory));
      this.#checkNotClosing();
      // What was sealed while the log was opened.
      wal.release(manifest.walUpto);
      this.#requests = log.requests;
      this.#open = { lock, manifest, wal };
    } catch (error) {
      // Nothing may be written any more once the directory is free for others.
      this.#closing = true;
      await this.#endWork();
      await wal?.close();
      await manifest?.close();
      lock?.release();
      throw error instanceof SpoorError ? error : directoryError(this.#dir, error);
    } finally {
      this.#replaying = undefined;
    }
    this.#workTimer = setInterval(() => this.#lookForWork(), QUIET_MS / 4).unref();
    this.#compactor.start();
  }

  async shutdown(): Promise<void> {
    this.#closing = true;
    this.#closed ??= this.#close();
    await this.#closed;
  }

  async #close(): Promise<void> {
    clearInterval(this.#workTimer);
    const open = this.#open;
    this.#open = undefined;
    await this.#endWork();
    // One that is under way finds that it is to end, and closes what it opened.
    await this.#started?.catch(() => undefined);
    if (open === undefined) return;
    await open.wal.close();
    if (open.wal.failed === undefined) {
      // Without it a start cannot tell a last write that was damaged from one that a crash cut off.
      await open.manifest.commit({ logEnd: open.wal.lastSequence }).catch(() => undefined);
    }
    await open.manifest.close();
    open.lock.release();
  }

  /** Ends what goes on by itself, and breaks off what workers do: nothing of it counts yet. */
  async #endWork(): Promise<void> {
    this.#space.shutdown();
    await Promise.all([this.#sealer.close(), this.#querier.close(), this.#compactor.close()]);
    await this.#blocks.settled();
  }

  /** @throws {SpoorError} unavailable */
  #checkNotClosing(): void {
    if (this.#closing) throw new SpoorError('unavailable', 'the store was shut down');
  }

  get unhealthy(): string | undefined {
    const open = this.#open;
    if (open === undefined) return 'the store is not open';
    return (
      open.wal.failed ??
      open.manifest.failed ??
      this.#space.shortage?.message ??
      open.wal.stalled ??
      this.#sealer.failure
    );
  }

  recentRequests(): readonly StoredRequest[] {
    const requests = this.#requests;
    this.#requests = [];
    return requests;
  }

  // Not async: the batch, which is copied at once, must not stay in memory until the log is durable.
  write(tenant: Tenant, batch: SpanBatch, requests: readonly RequestRecord[] = []): Promise<void> {
    try {
      const open = this.#opened();
      if (batch.rows === 0) return Promise.resolve();
      return this.#writer.write(open, tenant, batch, requests);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  getTraces(
    tenant: Tenant,
    ids: readonly TraceId[],
    options: ReadOptions = {},
  ): AsyncGenerator<SpanBatch, void, undefined> {
    return this.#readTraces(tenant, ids, options);
  }

  /** @param first the answer for the first of the ids, where it is there already */
  async *#readTraces(
    tenant: Tenant,
    ids: readonly TraceId[],
    options: ReadOptions,
    first?: Answers['get'],
  ): AsyncGenerator<SpanBatch, void, undefined> {
    let answer = first;
    for (let i = 0; i < ids.length;) {
      if (answer === undefined) {
        const some = ids.slice(i, i + TRACES_PER_READ);
        // Each id is 16 bytes: what is no id fails here, not in the worker.
        for (const id of some) traceIdBytes(id);
        answer = await this.#querier.ask(tenant, { ask: 'get', ids: some }, options);
      }
      i += answer.ids;
      for (const bytes of answer.traces) yield new SpanBatch(bytes);
      answer = undefined;
    }
  }

  findTraces(tenant: Tenant, query: TraceQuery, options: ReadOptions = {}): Promise<TracePage> {
    return this.#querier.ask(tenant, { ask: 'find', query }, options);
  }

  async findWholeTraces(
    tenant: Tenant,
    query: TraceQuery,
    options: ReadOptions = {},
  ): Promise<WholeTraces> {
    const { ids, next, first } = await this.#querier.ask(
      tenant,
      { ask: 'find whole', query, readAtOnce: TRACES_PER_READ },
      options,
    );
    return { batches: this.#readTraces(tenant, ids, options, first), next };
  }

  getServices(tenant: Tenant, options: ReadOptions = {}): Promise<string[]> {
    return this.#querier.ask(tenant, { ask: 'services' }, options);
  }

  async getOperations(
    tenant: Tenant,
    service: string,
    options: ReadOptions = {},
  ): Promise<Iterable<Operation>> {
    return unpackOperations(
      await this.#querier.ask(tenant, { ask: 'operations', service }, options),
    );
  }

  async getDependencies(
    tenant: Tenant,
    query: DependencyQuery,
    options: ReadOptions = {},
  ): Promise<Iterable<Dependency>> {
    return unpackDependencies(
      await this.#querier.ask(tenant, { ask: 'dependencies', query }, options),
    );
  }

  async getSpanMetrics(
    tenant: Tenant,
    query: SpanMetricsQuery,
    options: ReadOptions = {},
  ): Promise<Iterable<SpanMetrics>> {
    return unpackSpanMetrics(await this.#querier.ask(tenant, { ask: 'metrics', query }, options));
  }

  getAttributeNames(
    tenant: Tenant,
    query: AttributeQuery,
    options: ReadOptions = {},
  ): Promise<AttributeCounts<AttributeName>> {
    return this.#querier.ask(tenant, { ask: 'attribute names', query }, options);
  }

  getAttributeValues(
    tenant: Tenant,
    query: AttributeValuesQuery,
    options: ReadOptions = {},
  ): Promise<AttributeCounts<AttributeText>> {
    return this.#querier.ask(tenant, { ask: 'attribute values', query }, options);
  }

  /**
   * Seals everything that was written, and waits until it is in blocks.
   * @throws {SpoorError} unavailable: it cannot be, and the store is not patient
   */
  async settle(): Promise<void> {
    await Promise.race([this.#head.drain(), this.#sealFailure.promise]);
  }

  /**
   * Removes at once what retention wants gone.
   * @throws why a block could not be written anew without what is past its age; {SpoorError} unavailable most often: there was no room,
   * which is not tried again for a minute. All else was tried, and the size that is kept holds
   */
  applyRetention(): Promise<void> {
    return this.#compactor.applyRetention();
  }

  /** Seals everything that was written, and merges all blocks that fit together. */
  async compact(): Promise<void> {
    await this.settle();
    await this.#compactor.compact();
  }

  /**
   * Removes spans for good, in one step; an equal span that is written meanwhile may go with them. After the next start a request that
   * brought some is a new one when it is sent again.
   * @returns how many there were
   * @throws {SpoorError} unavailable: nothing was removed, since a block cannot be read or written, or waits for room
   */
  async deleteSpans(
    tenant: Tenant,
    selection: SpanSelection,
    options?: DeleteOptions,
  ): Promise<number> {
    const { manifest, wal } = this.#opened();
    await this.settle();
    await manifest.commit({ forgottenUpto: wal.lastSequence });
    return this.#compactor.delete(tenant, selection, options);
  }

  get damage(): readonly StoreDamage[] {
    return this.#damage.listed;
  }

  unreadable(tenant: Tenant): UnreadableSpans | undefined {
    return this.#blocks.unreadable(tenant);
  }

  figures(): StoreFigures {
    const open = this.#open;
    const inHead = [...this.#head.tenantNumbers()].map((number) => this.#tenants.names[number]!);
    const inHeadOnly = inHead.filter((tenant) => open?.manifest.hasTenant(tenant) !== true);
    return storeFigures({
      blocks: open === undefined ? [] : this.#blocks.all(),
      wal: open?.wal.figures(),
      headSpans: this.#head.rows,
      headBytes: this.#head.usedBytes,
      waitingWrites: this.#head.waiting,
      spansWritten: this.#writer.spans,
      work: this.#work,
      sealedBytes: this.#sealer.sealedBytes,
      damagedBlocks: this.#damage.blocks.size,
      damagedFiles: this.#damage.files,
      tenants: (open?.manifest.tenantCount ?? 0) + inHeadOnly.length,
      freeBytes: this.#space.freeBytes,
      reserveBytes: this.#space.reserveBytes,
      compaction: this.#compactor.figures,
    });
  }

  #opened(): OpenParts {
    const open = this.#open;
    if (open === undefined) {
      throw new SpoorError('unavailable', 'the store is not open', { retryAfterMs: 1000 });
    }
    return open;
  }

  /** The directory is gone: what is written to it would be lost with its open files, and what is made in its place be found by nobody. */
  #abandon(): void {
    const manifest = this.#replaying ?? this.#open?.manifest;
    if (manifest === undefined || manifest.failed !== undefined) return;
    const error = lostDirectory(this.#dir);
    this.#logger.error({}, error.message);
    manifest.abandon(error);
  }

  #startClock(): void {
    const blocks = this.#blocks.all();
    const lastMs = blocks.reduce((max, block) => Math.max(max, block.createdUnixMs), 0);
    const isDated = blocks.some(({ isUndated }) => isUndated !== true);
    this.#clock.start(blocks.length === 0 ? undefined : { isDated, lastMs });
  }

  /** Notes which blocks cannot be read, so that it is not forgotten, and takes those back that can be again. */
  async #takeBack(directory: DataDirectory): Promise<void> {
    try {
      await this.#blocks.noteFound();
    } catch (error) {
      // On a full disk it is noted with the next block.
      if (!isOutOfSpace(error)) throw error;
    }
    for (const block of directory.takeMayBeWhole()) {
      await this.#compactor.takeBack(block);
      this.#damage.tellBlock(block.id);
    }
  }

  /** Has the query worker prepare what it can, and what waits for its slab to be full sealed when it waited for long enough. */
  #lookForWork(): void {
    if (this.#isAsked !== false) this.#querier.tick();
    if (this.#head.rows === 0) return;
    const nowMs = this.#passedMs();
    const isQuiet = nowMs - this.#writer.lastMs >= QUIET_MS;
    if (isQuiet || nowMs - this.#head.waitsSinceMs >= MAX_WAIT_MS) this.#head.seal();
  }
}
