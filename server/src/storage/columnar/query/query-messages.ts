// SPDX-License-Identifier: Apache-2.0
import type { ErrorCode } from '@spoor/core/model/errors.ts';
import type { Tenant, TraceId } from '@spoor/core/model/ids.ts';
import type { OperationList } from '@spoor/core/query/operation-list.ts';
import type { TracePage, TraceQuery } from '@spoor/core/query/trace-query.ts';
import type { DependencyTable } from '#storage/dependency-table.ts';
import type { SpanMetricsTable } from '#storage/span-metrics-table.ts';
import type {
  AttributeCounts,
  AttributeName,
  AttributeQuery,
  AttributeText,
  AttributeValuesQuery,
  DependencyQuery,
  SpanMetricsQuery,
} from '#storage/tracestore.ts';
import type { CacheFigures } from '../block/frame-cache.ts';
import type { SlabView } from '../head/slab.ts';
import type { DamagedBlock } from '../live/known-blocks.ts';

/** What can be asked. */
export type Question =
  | { readonly ask: 'find'; readonly query: TraceQuery }
  | { readonly ask: 'get'; readonly ids: readonly TraceId[] }
  /** Both, without what is told of a trace that was found; `readAtOnce` are read at most. */
  | { readonly ask: 'find whole'; readonly query: TraceQuery; readonly readAtOnce: number }
  | { readonly ask: 'services' }
  | { readonly ask: 'operations'; readonly service: string }
  | { readonly ask: 'dependencies'; readonly query: DependencyQuery }
  | { readonly ask: 'metrics'; readonly query: SpanMetricsQuery }
  | { readonly ask: 'attribute names'; readonly query: AttributeQuery }
  | { readonly ask: 'attribute values'; readonly query: AttributeValuesQuery }
  /**
   * Nobody waits for it: blocks are opened, traces that are in several of them looked for, and what calls and rates need of these is
   * counted and kept, in a file as well if there is room for one.
   */
  | { readonly ask: 'prepare'; readonly hasRoom: boolean };

/** A question, with the slabs that hold what is in no block; to prepare takes none. */
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
  readonly find: TracePage;
  /** Bytes of a batch for each trace that exists, in the order asked for, of the first so many ids, which are some at least. */
  readonly get: { readonly traces: Uint8Array<ArrayBuffer>[]; readonly ids: number };
  readonly 'find whole': {
    readonly ids: readonly TraceId[];
    readonly next: TracePage['next'];
    /** What was read of the first of them. */
    readonly first: Answers['get'];
  };
  readonly services: string[];
  readonly operations: OperationList;
  readonly dependencies: DependencyTable;
  readonly metrics: SpanMetricsTable;
  readonly 'attribute names': AttributeCounts<AttributeName>;
  readonly 'attribute values': AttributeCounts<AttributeText>;
  readonly prepare: undefined;
}

/** Says at a start how large the blocks are that will be asked about. */
export interface WarmMessage {
  readonly blockBytes: number;
}

/** What comes back. */
export interface QueryReply {
  readonly id: number;
  readonly answer?: Answers[keyof Answers];
  readonly error?: { readonly code: ErrorCode; readonly message: string };
  /** Blocks that could not be read and are left out from now on, with the reason. */
  readonly damaged: readonly DamagedBlock[];
  readonly cache: CacheFigures;
}
