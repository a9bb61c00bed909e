// SPDX-License-Identifier: Apache-2.0
import { BatchBuilder } from '@spoor/core/model/batch-builder.ts';
import { messageOf, SpoorError } from '@spoor/core/model/errors.ts';
import type { Tenant, TraceId } from '@spoor/core/model/ids.ts';
import {
  OperationCollector,
  type OperationColumns,
  ServiceCollector,
} from '@spoor/core/query/operations.ts';
import { packOperations } from '@spoor/core/query/operation-list.ts';
import { joinTrace, type TracePart } from '@spoor/core/query/join-trace.ts';
import { buffersOfDependencies, packDependencies } from '#storage/dependency-table.ts';
import { SpanMetricsSum } from '#storage/span-metrics-sum.ts';
import { buffersOfTable } from '#storage/span-metrics-table.ts';
import { blockPath, overlapsPath } from '../block/block-path.ts';
import type { BlockReader } from '../block/block-reader.ts';
import { attributeNames, attributeValues } from '../derived/attribute-answers.ts';
import { DerivedAnswers } from '../derived/derived-answers.ts';
import { OverlapsFile } from '../derived/overlaps-file.ts';
import { FrameScratch } from '../block/frame-scratch.ts';
import { GroupSlice } from '../block/group-slice.ts';
import { sliceBatch } from '../block/slice-batch.ts';
import { ByteCache, type CacheFigures } from '../block/frame-cache.ts';
import {
  type BlockInfo,
  type BlocksMessage,
  damagedBlock,
  type DamagedBlock,
} from '../live/known-blocks.ts';
import type { HeadBatch } from '../head/head-batch.ts';
import type { HeadPart } from '../head/head-part.ts';
import { HeadParts } from '../head/head-parts.ts';
import { LooseTraces } from '../search/loose-traces.ts';
import { MatchedRows } from '../search/matched-rows.ts';
import { OpenFiles } from '../files/open-files.ts';
import { OpenReaders } from '../block/open-readers.ts';
import type { Answers, QueryReply, QueryRequest, WarmMessage } from './query-messages.ts';
import { RecentTenants } from './recent-tenants.ts';
import { warmMemory } from './warm-memory.ts';
import type { WorkerFiles } from '../files/store-files.ts';
import { findTraceIds, findTraces } from '../search/trace-search.ts';
import { type OpenBlock, TraceSources } from '../search/trace-sources.ts';
import { DISK_WORKER_FILES } from '../files/worker-files.ts';
import { serveMessages } from '#workers/worker-thread.ts';

/** Memory for decoded blocks: what two million spans are searched by stays in it. */
const CACHE_BYTES = 32 << 20;

/** What the first few hundred answers after a start take of memory, most of it for the cache. */
const FIRST_ANSWERS_BYTES = 24 << 20;

/** What is held of open blocks between two questions, beside the cache. */
const MAX_HELD_BYTES = 24 << 20;

/**
 * Tenants for which it is remembered which traces are in several places, and what blocks change there. To find that out anew takes
 * some 40 ms for a block of 700,000 spans, or a file is read.
 */
const MAX_RECENT_TENANTS = 16;

/** Traces that are asked for together are answered until they have so many bytes; the rest are asked for anew, when others had their turn. */
const MAX_TRACES_BYTES = 4 << 20;

/** A builder that has joined more spans than this is not kept: it has grown with them. */
const MAX_KEPT_ROWS = 8192;

class WorkerBlock implements OpenBlock {
  readonly id: number;
  readonly minStart: number;
  readonly maxStart: number;
  readonly path: string;
  readonly #open: OpenReaders;
  readonly #matched: MatchedRows;
  #damaged = false;

  constructor(info: BlockInfo, path: string, open: OpenReaders, matched: MatchedRows) {
    this.id = info.id;
    this.path = path;
    this.minStart = Number(info.minStartUnixNano);
    this.maxStart = Number(info.maxStartUnixNano);
    this.#open = open;
    this.#matched = matched;
  }

  reader(): BlockReader | undefined {
    if (this.#damaged) return undefined;
    return this.#open.get(this);
  }

  /** Why a part of it could not be read, though it was opened; undefined while all is well. */
  get damage(): SpoorError | undefined {
    return this.#open.known(this)?.damage;
  }

  setAside(): void {
    this.#damaged = true;
    this.close();
  }

  close(): void {
    const reader = this.#open.known(this);
    if (reader !== undefined) this.#matched.forget(reader);
    this.#open.close(this);
  }
}

/** Answers questions over the slabs it is shown and the blocks it was told of. */
class QueryAnswerer {
  readonly #cache = new ByteCache<unknown>(CACHE_BYTES);
  /** Of the trace that is joined just now. */
  readonly #scratch = new FrameScratch();
  /** What the last trace was joined with. */
  #builder: BatchBuilder | undefined;
  readonly #files: WorkerFiles;
  readonly #open: OpenReaders;
  /** The data directory; blocks say where it is. */
  #dir = '';
  readonly #blocks = new Map<Tenant, WorkerBlock[]>();
  readonly #known = new Set<number>();
  readonly #derived = new RecentTenants<DerivedAnswers>(MAX_RECENT_TENANTS);
  readonly #matched = new MatchedRows();
  readonly #loose = new RecentTenants<LooseTraces>(MAX_RECENT_TENANTS);
  readonly #head = new HeadParts((part) => this.#gone.add(part));
  /** Parts of the head that no question will see again, until all that knows of them has let go. */
  readonly #gone = new Set<HeadPart>();

  constructor(files: WorkerFiles) {
    this.#files = files;
    this.#open = new OpenReaders(this.#cache, new OpenFiles(files), MAX_HELD_BYTES);
  }

  /** Takes note of blocks that came and went. */
  change({ dir, added, removed, unreadable }: BlocksMessage): void {
    this.#dir = dir;
    for (const { tenant, id } of [...removed, ...unreadable]) {
      const list = this.#blocks.get(tenant);
      const at = list?.findIndex((block) => block.id === id) ?? -1;
      // A worker that started after the block was removed was never told of it.
      if (list === undefined || at < 0) continue;
      list[at]!.close();
      list.splice(at, 1);
      if (list.length === 0) this.#blocks.delete(tenant);
      this.#known.delete(id);
    }
    for (const info of added) {
      // A worker that starts just now may be told of a new block twice.
      if (this.#known.has(info.id)) continue;
      this.#known.add(info.id);
      const path = blockPath(dir, info.tenant, info.id);
      const block = new WorkerBlock(info, path, this.#open, this.#matched);
      const list = this.#blocks.get(info.tenant);
      if (list === undefined) this.#blocks.set(info.tenant, [block]);
      else list.push(block);
    }
  }

  /** Of all questions so far. */
  get cacheFigures(): CacheFigures {
    const { bytes, hits, misses } = this.#cache;
    return { bytes, hits, misses };
  }

  /** Lets go of what the last question needed of blocks beyond what is kept for the next. */
  trim(): void {
    this.#forgetGone();
    this.#open.trim();
    this.#matched.trim();
    this.#scratch.clear();
  }

  answer(request: QueryRequest): Omit<QueryReply, 'cache'> {
    const damaged: DamagedBlock[] = [];
    const cancel = new Int32Array(request.cancel);
    const checkCancelled = (): void => {
      if (Atomics.load(cancel, 0) !== 0) {
        throw new SpoorError('cancelled', 'query: nobody waits for the answer any more');
      }
    };
    const blocks = this.#blocks.get(request.tenant) ?? [];
    const setAside = (looked: OpenBlock, error: unknown): void => {
      // No memory, or a mistake of the program, for instance: that says nothing about the block.
      if (!(error instanceof SpoorError) || error.code !== 'corrupt') throw error;
      // While one block is looked at, columns of another one may be read.
      const block =
        blocks.find(({ damage }) => damage !== undefined && damage === error) ??
        blocks.find(({ id }) => id === looked.id);
      damaged.push(damagedBlock({ tenant: request.tenant, id: (block ?? looked).id }, error));
      block?.setAside();
    };
    for (;;) {
      const damagedBefore = damaged.length;
      try {
        checkCancelled();
        const sources = new TraceSources(
          this.#partsFor(request),
          blocks,
          setAside,
          this.#recent(request, this.#loose, () => new LooseTraces()),
          this.#matched,
        );
        const answer = this.#ask(sources, request, checkCancelled);
        if (damaged.length === damagedBefore) return { id: request.id, answer, damaged };
        // What was found in the block before is void, so the question is asked anew without it.
      } catch (error) {
        // Columns are read when they are looked at: damage may show after the block was found to have the trace.
        for (const block of blocks) {
          if (block.damage !== undefined) setAside(block, block.damage);
        }
        if (damaged.length > damagedBefore) continue;
        const code = error instanceof SpoorError ? error.code : 'internal';
        const message = messageOf(error);
        return { id: request.id, error: { code, message }, damaged };
      }
    }
  }

  /** After a question, as that has found out itself what is gone of what it asks for. */
  #forgetGone(): void {
    const gone = this.#gone;
    if (gone.size === 0) return;
    const batches = new Set<HeadBatch>();
    for (const part of gone) {
      this.#matched.forget(part);
      for (const batch of part.batches) batches.add(batch);
    }
    for (const derived of this.#derived.values()) derived.forget(gone);
    for (const loose of this.#loose.values()) loose.forget(batches);
    gone.clear();
  }

  #ask(
    sources: TraceSources,
    request: QueryRequest,
    checkCancelled: () => void,
  ): Answers[keyof Answers] {
    const { question } = request;
    switch (question.ask) {
      case 'find':
        return findTraces(sources, question.query, checkCancelled);
      case 'get':
        return this.#getTraces(sources, question.ids, checkCancelled);
      case 'find whole': {
        const { ids, next } = findTraceIds(sources, question.query, checkCancelled);
        const some = ids.slice(0, question.readAtOnce);
        return { ids, next, first: this.#getTraces(sources, some, checkCancelled) };
      }
      case 'services': {
        const collector = new ServiceCollector();
        for (const { batches, names } of sources.parts) {
          const { operations } = names;
          if (operations === undefined) for (const { batch } of batches) collector.add(batch);
          else collector.addNames(operations.services);
        }
        for (const block of sources.blocks) {
          checkCancelled();
          sources.withBlock(block, (reader) => collector.addNames(servicesOf(reader)));
        }
        return collector.names();
      }
      case 'operations': {
        const collector = new OperationCollector(question.service);
        for (const { batches, names } of sources.parts) {
          const { operations } = names;
          if (operations === undefined) for (const { batch } of batches) collector.add(batch);
          else collector.addTable(operations);
        }
        for (const block of sources.blocks) {
          checkCancelled();
          sources.withBlock(block, (reader) => {
            if (collector.addList(operationsOf(reader))) return;
            reader.footer.groups.forEach((_, g) => collector.add(reader.group(g)));
          });
        }
        return packOperations(collector.operations());
      }
      case 'dependencies':
        return packDependencies(
          this.#derivedOf(request).edges(sources, question.query, checkCancelled).dependencies(),
        );
      case 'metrics': {
        const sum = new SpanMetricsSum(question.query);
        for (const spans of this.#derivedOf(request).spans(sources, checkCancelled)) sum.add(spans);
        return sum.table();
      }
      case 'attribute names':
        return attributeNames(this.#derivedOf(request), sources, question.query, checkCancelled);
      case 'attribute values':
        return attributeValues(this.#derivedOf(request), sources, question.query, checkCancelled);
      case 'prepare':
        this.#derivedOf(request).prepare(sources, checkCancelled, question.hasRoom);
        return undefined;
    }
  }

  #getTraces(
    sources: TraceSources,
    wanted: readonly TraceId[],
    checkCancelled: () => void,
  ): Answers['get'] {
    const found = sources.findParts(wanted, this.#scratch);
    const traces: Uint8Array<ArrayBuffer>[] = [];
    let bytes = 0;
    let ids = 0;
    for (; ids < found.length && bytes < MAX_TRACES_BYTES; ids++) {
      const parts = found[ids]!;
      if (parts.length === 0) continue;
      checkCancelled();
      const trace = this.#join(parts);
      bytes += trace.length;
      traces.push(trace);
    }
    return { traces, ids };
  }

  #join(parts: readonly TracePart[]): Uint8Array<ArrayBuffer> {
    // What the trace before was read from is not looked at any more.
    this.#scratch.clear();
    const [part] = parts;
    const whole =
      parts.length === 1 && part!.columns instanceof GroupSlice
        ? sliceBatch(part!.columns)
        : undefined;
    // A trace lies in memory of its own.
    if (whole !== undefined) return whole.bytes as Uint8Array<ArrayBuffer>;
    const builder = this.#builder ?? new BatchBuilder();
    this.#builder = undefined;
    const { bytes, rows } = joinTrace(parts, builder);
    if (rows <= MAX_KEPT_ROWS) this.#builder = builder;
    // As above.
    return bytes as Uint8Array<ArrayBuffer>;
  }

  /** None while nobody asks: the request says nothing of the head then. */
  #partsFor({ question, slabs, tenantNumber }: QueryRequest): HeadPart[] {
    return question.ask === 'prepare' ? [] : this.#head.of(slabs, tenantNumber);
  }

  #derivedOf(request: QueryRequest): DerivedAnswers {
    const file = overlapsPath(this.#dir, request.tenant);
    return this.#recent(
      request,
      this.#derived,
      () => new DerivedAnswers(new OverlapsFile(this.#files, file)),
    );
  }

  /** Something of the tenant; what nobody asked for takes the place of nothing that somebody did. */
  #recent<Value>(
    { tenant, question }: QueryRequest,
    values: RecentTenants<Value>,
    make: () => Value,
  ): Value {
    return question.ask === 'prepare' ? values.prepared(tenant, make) : values.of(tenant, make);
  }
}

/** Names of the services of a block, kept in its cache. */
function servicesOf(reader: BlockReader): string[] {
  const bytes = (names: string[]): number => names.reduce((sum, name) => sum + name.length * 2, 0);
  return reader.decoded(-1, 'services', bytes, () => {
    const collector = new ServiceCollector();
    collector.add(operationsOf(reader));
    return collector.names();
  });
}

/** Distinct (resource, name, kind) of a block, as a list with one a row. */
function operationsOf(reader: BlockReader): OperationColumns {
  const { resource, name, kind } = reader.operations();
  return {
    rows: name.length,
    resource,
    name,
    kind: Uint8Array.from(kind),
    resources: reader.table(reader.footer.resources),
    names: reader.table(reader.footer.names),
    serviceNameOf: (code) => reader.serviceName(code),
  };
}

/** What answers questions, on the thread that calls it; what it is told needs no answer. */
export function createAnswerer(
  files: WorkerFiles,
): (message: QueryRequest | BlocksMessage | WarmMessage) => QueryReply | undefined {
  const answerer = new QueryAnswerer(files);
  return (message) => {
    if ('question' in message) {
      const reply = answerer.answer(message);
      answerer.trim();
      return { ...reply, cache: answerer.cacheFigures };
    }
    if ('added' in message) answerer.change(message);
    else warmMemory(Math.min(message.blockBytes, FIRST_ANSWERS_BYTES));
    return undefined;
  };
}

/** Memory that is given away with an answer. */
function movedWith({ question }: QueryRequest, answer: QueryReply['answer']): ArrayBuffer[] {
  if (answer === undefined) return [];
  // Each question has its own kind of answer.
  switch (question.ask) {
    case 'get':
      return buffersOf((answer as Answers['get']).traces);
    case 'find whole':
      return buffersOf((answer as Answers['find whole']).first.traces);
    case 'operations': {
      const { name, kind, names } = answer as Answers['operations'];
      return buffersOf([name, kind, names.offsets, names.bytes]);
    }
    case 'dependencies':
      return buffersOfDependencies(answer as Answers['dependencies']);
    case 'metrics':
      return buffersOfTable(answer as Answers['metrics']);
    default:
      return [];
  }
}

function buffersOf(views: readonly { readonly buffer: ArrayBuffer }[]): ArrayBuffer[] {
  return views.map(({ buffer }) => buffer);
}

serveMessages(createAnswerer(DISK_WORKER_FILES), (message, { answer }) =>
  'question' in message ? movedWith(message, answer) : [],
);
