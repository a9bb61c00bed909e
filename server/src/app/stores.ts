// SPDX-License-Identifier: Apache-2.0
import { resolve } from 'node:path';
import type { SpoorConfig } from '#config/config.ts';
import { ColumnarStore } from '#storage/columnar/columnar-store.ts';
import { MemoryStore } from '#storage/memory/memory-store.ts';
import type { TraceStore } from '#storage/tracestore.ts';
import type { Logger } from '#telemetry/logger.ts';

/** The store that `storage.type` names, not yet open. */
export function createStore(
  config: SpoorConfig['storage'],
  maxTenants: number,
  logger: Logger,
): TraceStore {
  switch (config.type) {
    case 'columnar':
      return new ColumnarStore({ dir: resolve(config.directory), logger, maxTenants });
    case 'memory':
      return new MemoryStore({
        maxSpans: config.memory.max_spans,
        maxBytes: config.memory.max_mib * 1024 * 1024,
      });
  }
}
