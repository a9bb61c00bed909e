// SPDX-License-Identifier: Apache-2.0
import { resolve } from 'node:path';
import { parseTenant } from '@spoor/core/model/ids.ts';
import { storedServices } from '@spoor/core/query/unnamed-service.ts';
import type { SpoorConfig } from '#config/config.ts';
import { ColumnarStore } from '#storage/columnar/columnar-store.ts';
import type {
  RetentionLimits,
  RetentionPolicy,
} from '#storage/columnar/compaction/retention-policy.ts';
import { MemoryStore } from '#storage/memory/memory-store.ts';
import type { TraceStore } from '#storage/tracestore.ts';
import type { Logger } from '#telemetry/logger.ts';

const HOUR_MS = 3_600_000;

/** The store that `storage.type` names, not yet open. */
export function createStore(
  { storage: config, tenancy, query }: Pick<SpoorConfig, 'storage' | 'tenancy' | 'query'>,
  logger: Logger,
): TraceStore {
  switch (config.type) {
    case 'columnar':
      return new ColumnarStore({
        dir: resolve(config.directory),
        logger,
        maxTenants: tenancy.max_tenants,
        isAsked: query.http.enabled,
        minFreeBytes: config.min_free_mib * 1024 * 1024,
        retention: retentionPolicy(config.retention),
        ...(config.merge ? {} : { mergeFanIn: Infinity }),
      });
    case 'memory':
      return new MemoryStore({
        maxSpans: config.memory.max_spans,
        maxBytes: config.memory.max_mib * 1024 * 1024,
      });
  }
}

/** What the configuration says of it, with ages in ms and services as they are stored. */
export function retentionPolicy({
  tenants,
  ...limits
}: SpoorConfig['storage']['retention']): RetentionPolicy {
  return {
    ...retentionLimits(limits),
    tenants: new Map(
      Object.entries(tenants).map(([name, own]) => [parseTenant(name), retentionLimits(own)]),
    ),
  };
}

function retentionLimits(
  limits: Pick<SpoorConfig['storage']['retention'], 'max_age_hours' | 'max_mib' | 'services'>,
): RetentionLimits {
  const { max_age_hours: hours, max_mib: mib, services } = limits;
  return {
    maxAgeMs: hours === undefined ? undefined : hours * HOUR_MS,
    maxBytes: mib === undefined ? undefined : mib * 1024 * 1024,
    services: new Map(
      Object.entries(services).flatMap(([name, own]) =>
        storedServices(name).map((stored) => [stored, own.max_age_hours * HOUR_MS]),
      ),
    ),
  };
}
