// SPDX-License-Identifier: Apache-2.0
import type { Tenant } from '@spoor/core/model/ids.ts';
import type { SpanBatch } from '@spoor/core/model/span-batch.ts';
import type { ClientTls } from '#net/tls/client-tls.ts';
import type { ComponentFigure, Counting } from '#pipeline/component-figures.ts';
import type { TraceExporter } from '#pipeline/trace-sink.ts';
import type { BreakerState } from './circuit-breaker.ts';
import type { DestinationList } from './destinations.ts';
import type { Delivery } from './delivery.ts';
import type { ExportRequest } from './transport.ts';

/** The parts of a {@link SendingExporter}. */
export interface SendingExporterParts extends Delivery {
  readonly destinations: DestinationList;
  /** Makes requests of a batch. @throws {SpoorError} too_large: no server can take any of its spans */
  readonly requestsOf: (
    tenant: Tenant,
    batch: SpanBatch,
  ) => readonly ExportRequest[] | Promise<readonly ExportRequest[]>;
  /** Undefined where nothing is encrypted. */
  readonly tls: ClientTls | undefined;
}

const BREAKER_STATES: readonly BreakerState[] = ['closed', 'open', 'half_open'];

/** Sends batches to other servers. A write resolves when a server has taken it, or the queue keeps it on disk. */
export class SendingExporter implements TraceExporter, Counting {
  readonly #parts: SendingExporterParts;
  #isStarted = false;

  constructor(parts: SendingExporterParts) {
    this.#parts = parts;
  }

  async start(): Promise<void> {
    await this.#parts.tls?.start();
    await this.#parts.destinations.start();
    await this.#parts.queue.start();
    this.#isStarted = true;
  }

  async write(tenant: Tenant, batch: SpanBatch): Promise<void> {
    const { requestsOf, queue } = this.#parts;
    await queue.put(...(await requestsOf(tenant, batch)));
  }

  async shutdown(deadlineMs: number): Promise<void> {
    const { tls, destinations, queue } = this.#parts;
    await queue.shutdown(deadlineMs);
    await destinations.close();
    tls?.shutdown();
  }

  *figures(): Generator<ComponentFigure> {
    const { destinations, sender, queue, tls } = this.#parts;
    const { sentSpans, failedSpans, droppedSpans, retries } = sender.figures;
    const { underWay, usedBytes, capacityBytes, refusedSpans } = queue.figures;
    yield counter('otelcol_exporter_sent_spans', 'Spans that were acknowledged.', sentSpans);
    const failed = 'Spans of batches that were not taken; who sent them was told so.';
    yield counter('otelcol_exporter_send_failed_spans', failed, failedSpans);
    const refused = 'Spans that found no room in the queue, or among the requests under way.';
    yield counter('otelcol_exporter_enqueue_failed_spans', refused, refusedSpans);
    const dropped = 'Spans that no server will take, by reason.';
    for (const [reason, spans] of droppedSpans) {
      yield {
        ...counter('spoor_exporter_dropped_spans_total', dropped, spans),
        labels: { reason },
      };
    }
    yield counter('spoor_exporter_retries_total', 'Requests that were tried again.', retries);
    yield gauge('spoor_exporter_requests', 'Requests that are being sent.', underWay);
    yield gauge('otelcol_exporter_queue_size', 'Bytes that wait.', usedBytes);
    yield gauge('otelcol_exporter_queue_capacity', 'Bytes that may wait.', capacityBytes);
    const servers = 'Servers by the state of the breaker in front of them.';
    for (const state of BREAKER_STATES) {
      const count = destinations.list.filter(({ breaker }) => breaker.state === state).length;
      yield { ...gauge('spoor_exporter_servers', servers, count), labels: { state } };
    }
    if (tls !== undefined && this.#isStarted) yield* tlsFigures(tls);
    const opened = 'Times that a server was left alone since it failed.';
    yield counter('spoor_exporter_breaker_openings_total', opened, destinations.openings);
  }
}

function* tlsFigures({ figures }: ClientTls): Generator<ComponentFigure> {
  const { reloads, failedReloads, notAfterUnixMs } = figures;
  const taken = 'Times that new files for TLS were taken.';
  yield counter('spoor_exporter_tls_reloads_total', taken, reloads);
  const failed = 'Times that the files for TLS had changed and could not be used.';
  yield counter('spoor_exporter_tls_failed_reloads_total', failed, failedReloads);
  if (notAfterUnixMs === undefined) return;
  yield gauge(
    'spoor_exporter_tls_certificate_expiry_timestamp_seconds',
    'When the own certificate ends, in Unix seconds.',
    notAfterUnixMs / 1000,
  );
}

function counter(name: string, help: string, value: number): ComponentFigure {
  return { name, kind: 'counter', help, value };
}

function gauge(name: string, help: string, value: number): ComponentFigure {
  return { name, kind: 'gauge', help, value };
}
