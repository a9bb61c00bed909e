// SPDX-License-Identifier: Apache-2.0
import type { EXPORTER_SCHEMAS } from '#config/component-schemas.ts';
import { DebugExporter } from '#exporters/debug/debug-exporter.ts';
import { createOtlpExporter } from '#exporters/otlp/otlp-exporter.ts';
import { createKafkaExporter } from '#kafka/kafka-exporter.ts';
import type { Counting } from '#pipeline/component-figures.ts';
import type { TraceExporter } from '#pipeline/trace-sink.ts';
import type { TraceStore } from '#storage/tracestore.ts';
import type { Logger } from '#telemetry/logger.ts';
import type { ComponentTable } from './component-table.ts';
import { otlpExporterSettings, otlpHttpExporterSettings } from './exporter-settings.ts';
import { kafkaExporterSettings } from './kafka-settings.ts';

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
  otlp: (id, config, { tenantHeader, logger }) =>
    createOtlpExporter(otlpExporterSettings(id, config, tenantHeader), logger),
  otlphttp: (id, config, { tenantHeader, logger }) =>
    createOtlpExporter(otlpHttpExporterSettings(id, config, tenantHeader), logger),
  debug: (_id, config) =>
    new DebugExporter(
      { verbosity: config.verbosity, maxLinesPerSecond: config.max_lines_per_second },
      { print: (text) => process.stdout.write(text) },
    ),
  kafka: (id, config, { tenantHeader, logger }) =>
    createKafkaExporter(kafkaExporterSettings(id, config, tenantHeader), logger),
};

/** The store as an exporter; the server opens and closes it, since it is read from as well. */
function storageExporter(store: TraceStore): Exporter {
  return {
    write: (tenant, batch, requests) => store.write(tenant, batch, requests),
    start: () => Promise.resolve(),
    shutdown: () => Promise.resolve(),
  };
}
