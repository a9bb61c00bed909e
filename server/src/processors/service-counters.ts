// SPDX-License-Identifier: Apache-2.0
import type { SpanBatch } from '@spoor/core/model/span-batch.ts';
import type { Admission } from '#pipeline/admission.ts';
import type { Counting } from '#pipeline/component-figures.ts';
import type { TraceSink } from '#pipeline/trace-sink.ts';
import { ServiceTally } from './service-tally.ts';

/** Services with figures of their own: each costs a scrape five lines, and anyone may invent names. */
const MAX_NAMED_SERVICES = 200;

/** Name of the rest together, as Jaeger has it. */
const OTHERS = 'other-services';

/** What came of one service since the start, in spans. */
interface ServiceFigures {
  /** All that were decoded. */
  received: number;
  /** Those that a limit refused; they may come again. */
  rejected: number;
  /** Those that their senders were told of as taken; some may be dropped. */
  saved: number;
  /** Those that could not be written for now; they may come again. */
  failed: number;
  /** Those that a processor left out. */
  dropped: number;
}

/**
 * Counts the spans of each service, at the beginning of pipelines. It looks at the distinct resources of a batch, and runs
 * through one column of numbers.
 */
export class ServiceCounters implements Counting {
  readonly #tally = new ServiceTally();
  readonly #services = new Map<string, ServiceFigures>();

  /** The first services by name, the rest together; under Jaeger's names, as far as it has them. */
  *figures(): ReturnType<Counting['figures']> {
    const kind = 'counter';
    for (const [svc, figures] of this.#services) {
      for (const { name, help, of, labels } of METRICS) {
        yield { name, kind, help, value: figures[of], labels: { svc, ...labels } };
      }
    }
  }

  /** A sink that counts what goes through it. */
  counting(next: TraceSink): TraceSink {
    return {
      write: async (tenant, batch, requests) => {
        const counts = this.#count(batch);
        this.#add('received', counts);
        try {
          await next.write(tenant, batch, requests);
        } catch (error) {
          this.#add('failed', counts);
          throw error;
        }
        this.#add('saved', counts);
      },
    };
  }

  /** An admission that counts what it refuses. */
  admission(admit: Admission): Admission {
    return (tenant, parts) => {
      try {
        admit(tenant, parts);
      } catch (error) {
        for (const part of parts) {
          const counts = this.#tally.count(part);
          this.#add('received', counts);
          this.#add('rejected', counts);
        }
        throw error;
      }
    };
  }

  /** Counts what a processor left out: what came, without what goes on of it. */
  readonly countDropped = (batch: SpanBatch, kept: SpanBatch | undefined): void => {
    this.#add('dropped', this.#count(batch));
    if (kept !== undefined) this.#add('dropped', this.#count(kept), -1);
  };

  #count({ resource, resources, rows }: SpanBatch): Map<string, number> {
    return this.#tally.count({ resource, resources, start: 0, end: rows });
  }

  #add(figure: keyof ServiceFigures, counts: ReadonlyMap<string, number>, sign: 1 | -1 = 1): void {
    for (const [service, count] of counts) this.#of(service)[figure] += sign * count;
  }

  #of(service: string): ServiceFigures {
    const known = this.#services.get(service);
    if (known !== undefined) return known;
    const name = this.#services.size < MAX_NAMED_SERVICES ? service : OTHERS;
    let figures = this.#services.get(name);
    if (figures === undefined) {
      figures = { received: 0, rejected: 0, saved: 0, failed: 0, dropped: 0 };
      this.#services.set(name, figures);
    }
    return figures;
  }
}

const METRICS: readonly {
  readonly name: string;
  readonly help: string;
  readonly of: keyof ServiceFigures;
  readonly labels?: Readonly<Record<string, string>>;
}[] = [
  {
    name: 'jaeger_collector_spans_received_total',
    help: 'Spans that came, by service.',
    of: 'received',
  },
  {
    name: 'jaeger_collector_spans_rejected_total',
    help: 'Spans that a rate limit refused, by service.',
    of: 'rejected',
  },
  {
    name: 'jaeger_collector_spans_saved_by_svc_total',
    help: 'Spans that were taken (ok), or could not be written for now (err), by service.',
    of: 'saved',
    labels: { result: 'ok' },
  },
  {
    name: 'jaeger_collector_spans_saved_by_svc_total',
    help: 'Spans that were taken (ok), or could not be written for now (err), by service.',
    of: 'failed',
    labels: { result: 'err' },
  },
  {
    name: 'spoor_service_dropped_spans_total',
    help: 'Spans that were taken and left out by a processor, by service.',
    of: 'dropped',
  },
];
