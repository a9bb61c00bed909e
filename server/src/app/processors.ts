// SPDX-License-Identifier: Apache-2.0
import type { PROCESSOR_SCHEMAS } from '#config/component-schemas.ts';
import type { Counting } from '#pipeline/component-figures.ts';
import type { TraceSink } from '#pipeline/trace-sink.ts';
import type { Logger } from '#telemetry/logger.ts';
import type { ComponentTable } from './component-table.ts';

/** What processors are made with. */
export interface ProcessorContext {
  /** What comes after it. */
  readonly next: TraceSink;
  readonly logger: Logger;
}

/** A processor; each pipeline that names it has its own. */
export type Processor = TraceSink & Partial<Counting>;

/** The processors there are. */
export const PROCESSORS: ComponentTable<typeof PROCESSOR_SCHEMAS, ProcessorContext, Processor> = {};
