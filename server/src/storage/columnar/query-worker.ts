// SPDX-License-Identifier: Apache-2.0
import { parentPort } from 'node:worker_threads';
import { type ErrorCode, SpoorError } from '@spoor/core/model/errors.ts';
import type { Tenant, TraceId } from '@spoor/core/model/ids.ts';
import type { SymbolTable } from '@spoor/core/model/span-columns.ts';
import { symbolBytes, symbolText } from '@spoor/core/model/span-reader.ts';
import { decodeResource } from '@spoor/core/model/value-decoder.ts';
import { joinTrace } from '@spoor/core/query/join-trace.ts';
import { summarizeTrace } from '@spoor/core/query/summarize-trace.ts';
import type { TraceQuery, TraceSummary } from '@spoor/core/query/trace-query.ts';
import type { Operation } from '#storage/tracestore.ts';
import { blockPath } from './block-path.ts';
import { BlockReader } from './block-reader.ts';
import { ByteCache } from './frame-cache.ts';
import type { RowGroup } from './row-group.ts';
import { readSlab, type SlabView } from './slab.ts';
import { findNewest } from './trace-search.ts';
import { HeadBatch, type OpenBlock, TraceSources } from './trace-sources.ts';

/** Memory for decoded blocks. */
const CACHE_BYTES = 32 << 20;

/** A block that the manifest names. */
export interface BlockInfo {
  readonly tenant: Tenant;
  readonly id: number;
  readonly minStartUnixNano: bigint;
  readonly maxStartUnixNano: bigint;
}

/** Tells the worker of blocks; a question asked later sees them. */
export interface BlocksMessage {
  readonly blocks: readonly BlockInfo[];
  readonly dir: string;
}

/** What can be asked. */
export type Question =
  | { readonly ask: 'find'; readonly query: TraceQuery }
  | { readonly ask: 'get'; readonly ids: readonly TraceId[] }
  | { readonly ask: 'operations'; readonly service: string | undefined };

/** A question, with the slabs that hold what is in no block. */
export interface QueryRequest {
  readonly id: number;
  readonly tenant: Tenant;
  /** Number of the tenant in the slabs; -1 when it is in none. */
  readonly tenantNumber: number;
  readonly slabs: readonly SlabView[];
  /** Becomes 1 when nobody wants the answer any more. */
  readonly cancel: SharedArrayBuffer;
  readonly question: Question;
}

/** Answers to the questions of the same name. */
export interface Answers {
  readonly find: TraceSummary[];
  /** Bytes of a batch for each trace that exists, in the order asked for. */
  readonly get: Uint8Array<ArrayBuffer>[];
  /** With a service its operations, without one all services with none. */
  readonly operations: readonly (Operation & { readonly service: string })[];
}

/** What comes back. */
export interface QueryReply {
  readonly id: number;
  readonly answer?: Answers[keyof Answers];
  readonly error?: { readonly code: ErrorCode; readonly message: string };
  /** Blocks that could not be read and are left out from now on, with the reason. */
  readonly damaged: readonly { readonly block: number; readonly reason: string }[];
}

class WorkerBlock implements OpenBlock {
  readonly id: number;
  readonly minStart: number;
  readonly maxStart: number;
  readonly #open: () => BlockReader;
  #reader: BlockReader | undefined;
  #damaged = false;

  constructor(info: BlockInfo, open: () => BlockReader) {
    this.id = info.id;
    this.minStart = Number(info.minStartUnixNano);
    this.maxStart = Number(info.maxStartUnixNano);
    this.#open = open;
  }

  reader(): BlockReader | undefined {
    if (this.#damaged) return undefined;
    return (this.#reader ??= this.#open());
  }

  setAside(): void {
    this.#damaged = true;
    this.#reader?.close();
    this.#reader = undefined;
  }
}

/** Answers questions over the slabs it is shown and the blocks it was told of. */
class QueryAnswerer {
  readonly #cache = new ByteCache<Uint8Array | SymbolTable | RowGroup>(CACHE_BYTES);
  readonly #blocks = new Map<Tenant, WorkerBlock[]>();
  readonly #known = new Set<number>();
  /** Batches of each slab's present life, by tenant number, and up to where they were read. */
  readonly #slabs = new Map<
    number,
    { generation: number; readUpto: number; batches: Map<number, HeadBatch[]> }
  >();

  add({ blocks, dir }: BlocksMessage): void {
    for (const info of blocks) {
      // A worker that starts just now may be told of a new block twice.
      if (this.#known.has(info.id)) continue;
      this.#known.add(info.id);
      const path = blockPath(dir, info.tenant, info.id);
      const block = new WorkerBlock(info, () => new BlockReader(path, info.id, this.#cache));
      const list = this.#blocks.get(info.tenant);
      if (list === undefined) this.#blocks.set(info.tenant, [block]);
      else list.push(block);
    }
  }

  answer(request: QueryRequest): QueryReply {
    const damaged: { block: number; reason: string }[] = [];
    const cancel = new Int32Array(request.cancel);
    const checkCancelled = (): void => {
      if (Atomics.load(cancel, 0) !== 0) {
        throw new SpoorError('cancelled', 'query: nobody waits for the answer any more');
      }
    };
    try {
      checkCancelled();
      const head = request.slabs.flatMap((slab) => this.#headBatches(slab, request.tenantNumber));
      const blocks = this.#blocks.get(request.tenant) ?? [];
      const sources = new TraceSources(head, blocks, (block, error) => {
        if (error instanceof SpoorError && error.code !== 'corrupt') throw error;
        const reason = error instanceof Error ? error.message : String(error);
        damaged.push({ block: block.id, reason });
        blocks.find(({ id }) => id === block.id)?.setAside();
      });
      const answer = this.#ask(sources, request.question, checkCancelled);
      return { id: request.id, answer, damaged };
    } catch (error) {
      const code = error instanceof SpoorError ? error.code : 'internal';
      const message = error instanceof Error ? error.message : String(error);
      return { id: request.id, error: { code, message }, damaged };
    }
  }

  #ask(
    sources: TraceSources,
    question: Question,
    checkCancelled: () => void,
  ): Answers[keyof Answers] {
    switch (question.ask) {
      case 'find': {
        const ids = findNewest(sources, question.query, checkCancelled);
        return sources.findParts(ids).map((parts) => {
          checkCancelled();
          return summarizeTrace(joinTrace(parts));
        });
      }
      case 'get':
        return sources
          .findParts(question.ids)
          .filter((parts) => parts.length > 0)
          .map((parts) => {
            checkCancelled();
            // A joined trace lies in memory of its own.
            return joinTrace(parts).bytes as Uint8Array<ArrayBuffer>;
          });
      case 'operations':
        return listOperations(sources, question.service, checkCancelled);
    }
  }

  #headBatches(slab: SlabView, tenantNumber: number): HeadBatch[] {
    let known = this.#slabs.get(slab.id);
    if (known?.generation !== slab.generation) {
      known = { generation: slab.generation, readUpto: 0, batches: new Map() };
      this.#slabs.set(slab.id, known);
    }
    for (const { tenantNumber: owner, batch } of readSlab(slab, known.readUpto)) {
      const list = known.batches.get(owner);
      if (list === undefined) known.batches.set(owner, [new HeadBatch(batch)]);
      else list.push(new HeadBatch(batch));
    }
    known.readUpto = Math.max(known.readUpto, slab.committed);
    return known.batches.get(tenantNumber) ?? [];
  }
}

function listOperations(
  sources: TraceSources,
  service: string | undefined,
  checkCancelled: () => void,
): Answers['operations'] {
  const found = new Map<string, Operation & { service: string }>();
  const take = (
    table: SymbolTable,
    names: SymbolTable,
    list: { resource: ArrayLike<number>; name: ArrayLike<number>; kind: ArrayLike<number> },
    count: number,
  ): void => {
    checkCancelled();
    const services: (string | undefined)[] = [];
    const seen = new Set<number>();
    for (let i = 0; i < count; i++) {
      const resource = list.resource[i]!;
      const owner = (services[resource] ??= decodeResource(
        symbolBytes(table, resource),
      ).serviceName);
      if (service === undefined) {
        if (!found.has(owner)) found.set(owner, { service: owner, name: '', kind: 0 });
        continue;
      }
      if (owner !== service) continue;
      const kind = list.kind[i]!;
      const code = list.name[i]! * 256 + kind;
      if (seen.has(code)) continue;
      seen.add(code);
      const name = symbolText(names, list.name[i]!);
      const key = `${kind} ${name}`;
      if (!found.has(key)) found.set(key, { service: owner, name, kind });
    }
  };
  for (const { batch } of sources.head) take(batch.resources, batch.names, batch, batch.rows);
  for (const block of sources.blocks) {
    sources.withBlock(block, (reader) => {
      const list = reader.operations();
      const { resources, names } = reader.footer;
      take(reader.table(resources), reader.table(names), list, list.name.length);
    });
  }
  return [...found.values()];
}

const answerer = new QueryAnswerer();

parentPort?.on('message', (message: QueryRequest | BlocksMessage) => {
  if ('blocks' in message) {
    answerer.add(message);
    return;
  }
  const reply = answerer.answer(message);
  const buffers = message.question.ask === 'get' ? ((reply.answer ?? []) as Answers['get']) : [];
  parentPort?.postMessage(
    reply,
    buffers.map(({ buffer }) => buffer),
  );
});
