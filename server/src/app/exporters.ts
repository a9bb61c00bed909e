// SPDX-License-Identifier: Apache-2.0
import type { EXPORTER_SCHEMAS } from '#config/component-schemas.ts';
import type { Counting } from '#pipeline/component-figures.ts';
import type { TraceExporter } from '#pipeline/trace-sink.ts';
import type { TraceStore } from '#storage/tracestore.ts';
import type { Logger } from '#telemetry/logger.ts';
import type { ComponentTable } from './component-table.ts';

/** What exporters are made with. */
export interface ExporterContext {
  /** The store of this process. */
  readonly store: () => TraceStore;
  /** Header that names the tenant of a request, or undefined while there is one tenant only. */
  readonly tenantHeader: string | undefined;
  readonly logger: Logger;
}

/** An exporter; all pipelines that name it write to the same. */
export type Exporter = TraceExporter & Partial<Counting>;

/** The exporters there are. */
export const EXPORTERS: ComponentTable<typeof EXPORTER_SCHEMAS, ExporterContext, Exporter> = {
  storage: (_id, _settings, { store }) => storageExporter(store()),
};

/** The store as an exporter; the server opens and closes it, since it is read from as well. */
function storageExporter(store: TraceStore): Exporter {
  return {
    write: (tenant, batch, requests) => store.write(tenant, batch, requests),
    start: () => Promise.resolve(),
    shutdown: () => Promise.resolve(),
  };
}
