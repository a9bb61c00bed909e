// SPDX-License-Identifier: Apache-2.0
import type { SpoorConfig } from '#config/config.ts';
import { componentType } from '#config/named-components.ts';
import type { Counting } from '#pipeline/component-figures.ts';
import { admitWithin, type Limit } from '#pipeline/admission.ts';
import { DecodeThread } from '#pipeline/decode-thread.ts';
import { FanOut } from '#pipeline/fan-out.ts';
import { PacedIngest } from '#pipeline/paced-ingest.ts';
import { PatientSink } from '#pipeline/patient-sink.ts';
import { untilQuiet } from '#pipeline/quiet-turn.ts';
import { TraceBatcher } from '#pipeline/trace-batcher.ts';
import type { TraceSink } from '#pipeline/trace-sink.ts';
import { ServiceCounters } from '#processors/service-counters.ts';
import type { StoredRequest } from '#storage/tracestore.ts';
import { createComponent } from './component-table.ts';
import { EXPORTERS, type Exporter, type ExporterContext } from './exporters.ts';
import type { Part } from './part.ts';
import { PROCESSORS } from './processors.ts';
import { RECEIVERS, type ReceiverContext, type ReceiverPart } from './receivers.ts';

/** What the components of the graph are made with. */
export interface GraphContext {
  readonly receivers: Omit<ReceiverContext, 'ingest'>;
  readonly exporters: ExporterContext;
}

/** A processor or exporter with figures, and the labels of these. */
export interface CountingPart {
  readonly labels: Readonly<Record<string, string>>;
  readonly component: Counting;
}

/** The way of bodies to batches for receivers that feed the same pipelines: their requests share batches. */
interface Entry {
  readonly batcher: TraceBatcher;
  readonly paced: PacedIngest;
  /** All it takes goes to the store and nowhere else. */
  readonly isStoreOnly: boolean;
}

/**
 * The components that pipelines use, joined: receivers, the batchers behind them, processors, exporters. Nothing is started.
 */
export class PipelineGraph {
  readonly receivers: readonly ReceiverPart[];
  readonly exporters: readonly Part[];
  /** Decodes large bodies for all receivers. */
  readonly decoding = new DecodeThread();
  /** Processors and exporters that count. */
  readonly counting: readonly CountingPart[];
  readonly #entries: readonly Entry[];

  constructor(config: SpoorConfig, context: GraphContext) {
    const pipelines = Object.entries(config.service.pipelines);
    const services = new ServiceCounters();
    const counting: CountingPart[] = [{ labels: {}, component: services }];
    const count = (component: Partial<Counting>, labels: CountingPart['labels']): void => {
      if (isCounting(component)) counting.push({ labels, component });
    };

    const exporters = new Map<string, Exporter>();
    for (const id of new Set(pipelines.flatMap(([, { exporters: ids }]) => ids))) {
      const exporter = createComponent(EXPORTERS, config.exporters, id, context.exporters);
      exporters.set(id, exporter);
      count(exporter, { exporter: id });
    }
    const sinks = new Map<string, TraceSink>();
    const limits = new Map<string, Limit[]>();
    for (const [pipeline, { processors, exporters: ids }] of pipelines) {
      let next = joined(ids.map((id) => exporters.get(id)!));
      const ofPipeline: Limit[] = [];
      for (const id of processors.toReversed()) {
        const parts = { next, onDropped: services.countDropped };
        const processor = createComponent(PROCESSORS, config.processors, id, parts);
        count(processor, { processor: id, pipeline });
        if (processor.limit !== undefined) ofPipeline.unshift(processor.limit);
        next = processor;
      }
      sinks.set(pipeline, next);
      limits.set(pipeline, ofPipeline);
    }

    const entries = new Map<string, Entry>();
    const receivers: ReceiverPart[] = [];
    const patients: PatientSink[] = [];
    for (const id of new Set(pipelines.flatMap(([, { receivers: ids }]) => ids))) {
      const fed = pipelines.filter(([, { receivers: ids }]) => ids.includes(id));
      const key = fed.map(([pipeline]) => pipeline).join(' ');
      let entry = entries.get(key);
      if (entry === undefined) {
        const sink = joined(fed.map(([pipeline]) => sinks.get(pipeline)!));
        const all = fed.flatMap(([pipeline]) => limits.get(pipeline)!);
        const targets = fed.flatMap(([, { exporters: ids }]) => ids);
        // A whole batch is written again: it would come twice to those of several who took it, and pay a limit twice.
        const patient =
          targets.length === 1 && all.length === 0 ? new PatientSink(sink) : undefined;
        if (patient !== undefined) patients.push(patient);
        const batcher = new TraceBatcher(services.counting(sink), {
          admit: services.admission(admitWithin(all)),
          onceSink: services.counting(patient ?? sink),
          decodeLarge: this.decoding.decode,
          gather: untilQuiet,
        });
        const isStoreOnly = targets.length === 1 && isStore(targets[0]!);
        entry = { batcher, paced: new PacedIngest(batcher), isStoreOnly };
        entries.set(key, entry);
      }
      const own = { ...context.receivers, ingest: entry.paced };
      receivers.push(...createComponent(RECEIVERS, config.receivers, id, own));
    }
    this.receivers = receivers;
    this.exporters = [...exporters].map(([id, exporter]) => ({
      path: `exporters.${id}`,
      start: () => exporter.start(),
      shutdown: (deadlineMs) => {
        for (const patient of patients) patient.close();
        return exporter.shutdown(deadlineMs);
      },
    }));
    this.counting = counting;
    this.#entries = [...entries.values()];
  }

  /** Whole bodies that wait for their turn to be decoded. */
  get waitingBodies(): number {
    return this.#entries.reduce((sum, { paced }) => sum + paced.waiting, 0);
  }

  /** Bytes of bodies that would be taken in a second now; see {@link PacedIngest.bytesPerSecond}. */
  get bytesPerSecond(): number {
    return Math.min(Infinity, ...this.#entries.map(({ paced }) => paced.bytesPerSecond));
  }

  /**
   * Takes over what the store knows of requests from before a restart. A request that has to go elsewhere as well is taken
   * again: the store does not know whether it got there.
   */
  recall(requests: readonly StoredRequest[]): void {
    for (const { batcher, isStoreOnly } of this.#entries) if (isStoreOnly) batcher.recall(requests);
  }
}

function isCounting(component: Partial<Counting>): component is Counting {
  return component.figures !== undefined;
}

/** Whether a configuration writes to the store of the process. */
export function writesToStore({ service }: SpoorConfig): boolean {
  return Object.values(service.pipelines).some(({ exporters }) => exporters.some(isStore));
}

function isStore(id: string): boolean {
  return componentType(id) === 'storage';
}

function joined(sinks: readonly TraceSink[]): TraceSink {
  return sinks.length === 1 ? sinks[0]! : new FanOut(sinks);
}
