// SPDX-License-Identifier: Apache-2.0
import type { Logger } from '#telemetry/logger.ts';
import type { RetentionPolicy } from './compaction/retention-policy.ts';
import type { Later } from '#later.ts';
import type { StoreFiles } from './files/store-files.ts';
import type { CreateWorker } from '#workers/worker-client.ts';

/** Options of a `ColumnarStore`. */
export interface ColumnarStoreOptions {
  /** Data directory; made when missing. */
  readonly dir: string;
  readonly logger: Pick<Logger, 'info' | 'warn' | 'error'>;
  readonly maxTenants?: number;
  /** True: what the first question needs is prepared while it starts, and not only when it is quiet. False: nobody asks, and never. */
  readonly isAsked?: boolean;
  /** Without it everything is kept. */
  readonly retention?: RetentionPolicy;
  /** Bytes of the disk that stay free, on a small disk 5 % of it, and never less than sealing may take: below that no new spans are taken. */
  readonly minFreeBytes?: number;
  /** Sealed blocks that are merged into one; Infinity: only when `compact` is called. */
  readonly mergeFanIn?: number;
  /**
   * False: when spans cannot be sealed, who waits for it is told why, also a start; it has to be shut down then. True, unless told:
   * it is tried until it succeeds.
   */
  readonly isPatient?: boolean;
  /** Spans of a slab before it is sealed; smaller in tests. */
  readonly slabRows?: number;
  /** Size of a segment of the log; smaller in tests. */
  readonly segmentBytes?: number;
  readonly nowMs?: () => number;
  /** The file layer, and what makes workers that use it too: other ones in tests. */
  readonly files?: StoreFiles;
  readonly createWorker?: CreateWorker;
  /** For tests that do not wait; otherwise a timer that does not keep the process alive. */
  readonly later?: Later;
}
