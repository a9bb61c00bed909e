// SPDX-License-Identifier: Apache-2.0
import {
  attributesProcessorSchema,
  resourceProcessorSchema,
} from './attributes-processor-config.ts';
import { batchProcessorSchema } from './batch-processor-config.ts';
import { debugExporterSchema } from './debug-exporter-config.ts';
import { filterProcessorSchema } from './filter-processor-config.ts';
import { jaegerReceiverSchema } from './jaeger-receiver-config.ts';
import { memoryLimiterSchema } from './memory-limiter-config.ts';
import { otlpExporterSchema, otlpHttpExporterSchema } from './otlp-exporter-config.ts';
import { kafkaExporterSchema, kafkaReceiverSchema } from './kafka-config.ts';
import { otlpReceiverSchema } from './otlp-receiver-config.ts';
import { probabilisticSamplerSchema } from './probabilistic-sampler-config.ts';
import { rateLimitingSchema } from './rate-limiting-config.ts';
import { storageExporterSchema } from './storage-config.ts';
import { zipkinReceiverSchema } from './zipkin-receiver-config.ts';

// Components by type: what is a line here is one in the table of the same kind in `app/`, which makes them.

/** Settings of receivers by type. */
export const RECEIVER_SCHEMAS = {
  otlp: otlpReceiverSchema,
  jaeger: jaegerReceiverSchema,
  zipkin: zipkinReceiverSchema,
  kafka: kafkaReceiverSchema,
};

/** Settings of processors by type. */
export const PROCESSOR_SCHEMAS = {
  attributes: attributesProcessorSchema,
  batch: batchProcessorSchema,
  filter: filterProcessorSchema,
  memory_limiter: memoryLimiterSchema,
  probabilistic_sampler: probabilisticSamplerSchema,
  rate_limiting: rateLimitingSchema,
  resource: resourceProcessorSchema,
};

/** Settings of exporters by type. */
export const EXPORTER_SCHEMAS = {
  storage: storageExporterSchema,
  otlp: otlpExporterSchema,
  otlphttp: otlpHttpExporterSchema,
  debug: debugExporterSchema,
  kafka: kafkaExporterSchema,
};
