// SPDX-License-Identifier: Apache-2.0
import type { PROCESSOR_SCHEMAS } from '#config/component-schemas.ts';
import type { Limit } from '#pipeline/admission.ts';
import type { Counting } from '#pipeline/component-figures.ts';
import type { TraceSink } from '#pipeline/trace-sink.ts';
import {
  createAttributesProcessor,
  createResourceProcessor,
} from '#processors/attributes-processor.ts';
import { BatchProcessor } from '#processors/batch-processor.ts';
import type { DropListener } from '#processors/downstream.ts';
import { createFilterProcessor } from '#processors/filter-processor.ts';
import { createProbabilisticSampler } from '#processors/probabilistic-sampler.ts';
import { RateLimiter } from '#processors/rate-limiter.ts';
import type { ComponentTable } from './component-table.ts';

/** What processors are made with. */
export interface ProcessorContext {
  /** What comes after it. */
  readonly next: TraceSink;
  /** Told of spans that it leaves out. */
  readonly onDropped: DropListener;
}

/** A processor; each pipeline that names it has its own. */
export type Processor = TraceSink & Partial<Counting> & { readonly limit?: Limit };

/** The processors there are. */
export const PROCESSORS: ComponentTable<typeof PROCESSOR_SCHEMAS, ProcessorContext, Processor> = {
  attributes: (name, settings, context) =>
    createAttributesProcessor(settings, { name, ...context }),
  batch: (name, settings, context) => new BatchProcessor(settings, { name, ...context }),
  filter: (name, settings, context) => createFilterProcessor(settings, { name, ...context }),
  // It sets the limit of the process, see `memoryLimit`: requests are refused before they are read.
  memory_limiter: (_name, _settings, { next }) => ({
    write: (tenant, batch, requests) => next.write(tenant, batch, requests),
  }),
  probabilistic_sampler: (name, settings, context) =>
    createProbabilisticSampler(settings, { name, ...context }),
  rate_limiting: (name, settings, context) => new RateLimiter(settings, { name, ...context }),
  resource: (name, settings, context) => createResourceProcessor(settings, { name, ...context }),
};
