// SPDX-License-Identifier: Apache-2.0
import type { JaegerClientReport } from '@spoor/core/wire/jaeger/client-report.ts';

/** Services with figures of their own: each costs a scrape five lines. */
const MAX_NAMED_SERVICES = 100;
/** Name of the rest together. Jaeger calls them so too. */
const OTHERS = 'other-services';
/** Longer names belong to nobody. */
const MAX_NAME_LENGTH = 200;

/** Clients whose last report is kept, some 200 bytes each; the one that was silent for longest goes first. */
const MAX_CLIENTS = 10_000;

/** What the clients of one service have said since the start. */
export interface ClientFigures {
  readonly service: string;
  /** Batches that came, and batches that were sent: the difference was lost on the way. */
  readonly receivedBatches: number;
  readonly sentBatches: number;
  /** Spans that the clients dropped themselves. */
  readonly fullQueueSpans: number;
  readonly tooLargeSpans: number;
  readonly failedSpans: number;
}

type MutableFigures = { -readonly [K in keyof ClientFigures]: ClientFigures[K] };

/**
 * Adds up what Jaeger clients say of themselves. They send totals since their own start, so each is compared with the
 * report before; a client that is new here but not at its first batch is counted from then on.
 */
export class ClientReports {
  /** By client, the oldest first. */
  readonly #last = new Map<string, Totals>();
  readonly #services = new Map<string, MutableFigures>();

  /** The figures themselves: read them, don't keep them. */
  figures(): Iterable<ClientFigures> {
    return this.#services.values();
  }

  /** Takes a report. One that has no id cannot be told from those of other clients and is left out. */
  add(report: JaegerClientReport): void {
    const { clientId } = report;
    if (clientId === '' || clientId.length > MAX_NAME_LENGTH) return;
    const figures = this.#of(report.service);
    figures.receivedBatches++;
    const key = `${clientId} ${report.service.slice(0, MAX_NAME_LENGTH)}`;
    const last = this.#last.get(key);
    // Datagrams may come in another order.
    if (last !== undefined && report.batches < last.batches) return;
    if (last === undefined && report.batches > 1) figures.sentBatches++;
    else {
      const before = last ?? NOTHING;
      figures.sentBatches += report.batches - before.batches;
      figures.fullQueueSpans += growth(before.fullQueueSpans, report.fullQueueSpans);
      figures.tooLargeSpans += growth(before.tooLargeSpans, report.tooLargeSpans);
      figures.failedSpans += growth(before.failedSpans, report.failedSpans);
    }
    this.#last.delete(key);
    this.#last.set(key, report);
    if (this.#last.size > MAX_CLIENTS) {
      for (const oldest of this.#last.keys()) {
        this.#last.delete(oldest);
        break;
      }
    }
  }

  #of(service: string): MutableFigures {
    const isNamed =
      service.length <= MAX_NAME_LENGTH &&
      (this.#services.size < MAX_NAMED_SERVICES || this.#services.has(service));
    const name = isNamed ? service : OTHERS;
    let figures = this.#services.get(name);
    if (figures === undefined) {
      figures = {
        service: name,
        receivedBatches: 0,
        sentBatches: 0,
        fullQueueSpans: 0,
        tooLargeSpans: 0,
        failedSpans: 0,
      };
      this.#services.set(name, figures);
    }
    return figures;
  }
}

type Totals = Omit<JaegerClientReport, 'service' | 'clientId'>;

const NOTHING: Totals = { batches: 0, fullQueueSpans: 0, tooLargeSpans: 0, failedSpans: 0 };

/** How much a total grew; nothing where a client says less than before. */
function growth(before: number, after: number): number {
  return Math.max(0, after - before);
}
