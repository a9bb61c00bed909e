// SPDX-License-Identifier: Apache-2.0
import { Counter, Gauge, Registry } from 'prom-client';
import type { Counting } from '#pipeline/component-figures.ts';
import type {
  BodiesMetrics,
  ComponentMetrics,
  JaegerClientMetrics,
  KafkaMetrics,
  MemoryMetrics,
  MetricSources,
  ReceiverMetrics,
  TenantMetrics,
  TlsMetrics,
  TokensMetrics,
} from './metrics.ts';
import { registerProcess } from './process-gauges.ts';

/** What {@link Metrics} shows: the metrics in a registry of their own. */
export class MetricsPage {
  readonly #registry = new Registry();
  readonly #sources: MetricSources;
  readonly #metrics = new Map<string, Counter | Gauge>();

  constructor(sources: MetricSources) {
    this.#sources = sources;
    registerProcess(sources.process, this.#registry);
  }

  /** The metrics as Prometheus text. */
  async expose(): Promise<string> {
    for (const metric of this.#metrics.values()) metric.reset();
    const {
      version,
      receivers,
      components,
      tls,
      tokens,
      jaegerClients,
      tenants,
      bodies,
      waitingBodies,
      memory,
      storeFigures,
    } = this.#sources;
    this.#gauge('spoor_build_info', 'Always 1.', 1, { version });
    for (const figures of receivers()) this.#receiver(figures);
    for (const { labels, component } of components()) this.#component(labels, component);
    for (const figures of tls()) this.#tls(figures);
    for (const figures of tokens()) this.#tokens(figures);
    for (const figures of jaegerClients()) this.#jaegerClient(figures);
    for (const figures of tenants()) this.#tenant(figures);
    this.#bodies(bodies());
    const help = 'Whole request bodies that wait for their turn to be decoded.';
    this.#gauge('spoor_ingest_waiting_bodies', help, waitingBodies(), {});
    this.#memory(memory());
    for (const [name, { kind, help, value }] of storeFigures()) {
      this.#figure(kind, `spoor_${name}`, help, value, {});
    }
    return await this.#registry.metrics();
  }

  #receiver(figures: ReceiverMetrics): void {
    const labels = { receiver: figures.receiver, transport: figures.transport };
    const counter = (name: string, help: string, value: number, more: object = {}): void =>
      this.#counter(name, help, value, { ...labels, ...more });
    // The collector's names, which existing dashboards and alerts read.
    counter('otelcol_receiver_accepted_spans', 'Spans that were stored.', figures.acceptedSpans);
    counter(
      'otelcol_receiver_refused_spans',
      'Invalid spans that were dropped from accepted requests.',
      figures.refusedSpans,
    );
    counter('spoor_receiver_requests_total', 'Requests that were answered.', figures.requests);
    for (const [reason, value] of figures.refusedRequests) {
      const help = 'Requests of which nothing was kept, by reason.';
      counter('spoor_receiver_refused_requests_total', help, value, { reason });
    }
    counter('spoor_receiver_wire_bytes_total', 'Bytes of bodies as they came.', figures.wireBytes);
    counter('spoor_receiver_body_bytes_total', 'Bytes of bodies, decompressed.', figures.bodyBytes);
    const { connections, packets, kafka } = figures;
    if (connections !== undefined) {
      const help = 'Connections closed because there were too many.';
      counter('spoor_receiver_dropped_connections_total', help, connections.dropped);
      this.#gauge('spoor_receiver_connections', 'Open connections.', connections.open, labels);
    }
    if (packets !== undefined) {
      const help = 'Datagrams that wait until their spans are on disk.';
      this.#gauge('spoor_receiver_queued_packets', help, packets.queued, labels);
      const why =
        'Datagrams that the kernel dropped since nobody read them in time; on Linux only.';
      counter('spoor_receiver_kernel_dropped_packets_total', why, packets.kernelDrops ?? 0);
    }
    if (kafka !== undefined) this.#kafka(labels, kafka);
  }

  #kafka(labels: Readonly<Record<string, string>>, figures: KafkaMetrics): void {
    const counter = (name: string, help: string, value: number): void =>
      this.#counter(`spoor_kafka_receiver_${name}_total`, help, value, labels);
    counter('retries', 'Times that a record had to wait to be tried again.', figures.retries);
    counter('dead_letters', 'Records that were set aside for good.', figures.deadLetters);
    counter('dropped_records', 'Records that were dropped for good.', figures.droppedRecords);
    for (const { topic, partition, lag } of figures.partitions) {
      if (lag === undefined) continue;
      const help = 'Records of a partition that are not stored yet.';
      const more = { ...labels, topic, partition: String(partition) };
      this.#gauge('spoor_kafka_receiver_lag', help, Number(lag), more);
    }
  }

  #component(labels: ComponentMetrics['labels'], component: Counting): void {
    for (const { kind, name, help, value, labels: more } of component.figures()) {
      this.#figure(kind, name, help, value, { ...labels, ...more });
    }
  }

  #tls({ section, notAfterUnixMs, ...figures }: TlsMetrics): void {
    const counter = (name: string, help: string, value: number, more: object = {}): void =>
      this.#counter(`spoor_tls_${name}_total`, help, value, { section, ...more });
    const gauge = (name: string, help: string, value: number): void =>
      this.#gauge(`spoor_tls_${name}`, help, value, { section });
    counter('handshakes', 'TLS connections that came to be.', figures.handshakes);
    for (const [reason, value] of Object.entries(figures.failures)) {
      const help = 'Connections to a port with TLS that did not come to be, by reason.';
      counter('failed_handshakes', help, value, { reason });
    }
    gauge('open_handshakes', 'TLS handshakes under way.', figures.openHandshakes);
    counter('reloads', 'Times that a new certificate was taken.', figures.reloads);
    const help = 'Times that the files of a certificate had changed and could not be used.';
    counter('failed_reloads', help, figures.failedReloads);
    if (notAfterUnixMs === undefined) return;
    const when = 'When the certificate ends, in Unix seconds.';
    gauge('certificate_expiry_timestamp_seconds', when, notAfterUnixMs / 1000);
  }

  #tokens({ section, tokens, refused, reloads, failedReloads }: TokensMetrics): void {
    const counter = (name: string, help: string, value: number, more: object = {}): void =>
      this.#counter(`spoor_auth_${name}_total`, help, value, { section, ...more });
    this.#gauge('spoor_auth_tokens', 'Tokens that let requests in.', tokens, { section });
    for (const [reason, value] of Object.entries(refused)) {
      const help = 'Requests that were not let in for want of a token that is good, by reason.';
      counter('refused_requests', help, value, { reason });
    }
    counter('reloads', 'Times that a new list of tokens was taken.', reloads);
    const help = 'Times that the list of tokens had changed and could not be used.';
    counter('failed_reloads', help, failedReloads);
  }

  #jaegerClient(figures: JaegerClientMetrics): void {
    const { service } = figures;
    const counter = (name: string, help: string, value: number, more: object = {}): void =>
      this.#counter(`spoor_jaeger_client_${name}_total`, help, value, { service, ...more });
    counter('sent_batches', 'Batches that clients say they have sent.', figures.sentBatches);
    counter('received_batches', 'Batches of these that came.', figures.receivedBatches);
    const help = 'Spans that clients say they have dropped, by reason.';
    counter('dropped_spans', help, figures.fullQueueSpans, { reason: 'full_queue' });
    counter('dropped_spans', help, figures.tooLargeSpans, { reason: 'too_large' });
    counter('dropped_spans', help, figures.failedSpans, { reason: 'send_failed' });
  }

  #tenant({ tenant, acceptedSpans, bodyBytes, noRoom }: TenantMetrics): void {
    const counter = (name: string, help: string, value: number): void =>
      this.#counter(`spoor_tenant_${name}_total`, help, value, { tenant });
    counter('accepted_spans', 'Spans of the tenant that were stored.', acceptedSpans);
    counter('body_bytes', 'Bytes of its bodies, decompressed.', bodyBytes);
    counter('no_room', 'Times that a body found no room beside its others.', noRoom);
  }

  #bodies(figures: BodiesMetrics): void {
    const gauge = (name: string, help: string, value: number): void =>
      this.#gauge(`spoor_bodies_in_flight_${name}`, help, value, {});
    gauge('limit_bytes', 'Memory that request bodies in flight may hold.', figures.limitBytes);
    gauge('used_bytes', 'Memory that request bodies in flight hold.', figures.usedBytes);
    gauge('peak_bytes', 'The most that request bodies in flight ever held.', figures.peakBytes);
    this.#counter(
      'spoor_bodies_in_flight_refusals_total',
      'Times that a body found no room.',
      figures.refusals,
      {},
    );
  }

  #memory({ limitBytes, isTight }: MemoryMetrics): void {
    this.#gauge('spoor_memory_limit_bytes', 'memory_limit_mib in bytes.', limitBytes, {});
    const help = '1 while bodies are refused because resident memory is near the limit, else 0.';
    this.#gauge('spoor_memory_tight', help, isTight ? 1 : 0, {});
  }

  #figure(
    kind: 'counter' | 'gauge',
    name: string,
    help: string,
    value: number,
    labels: Record<string, string>,
  ): void {
    if (kind === 'counter') this.#counter(name, help, value, labels);
    else this.#gauge(name, help, value, labels);
  }

  #counter(name: string, help: string, value: number, labels: Record<string, string>): void {
    this.#metric(Counter, name, help, labels).inc(labels, value);
  }

  #gauge(name: string, help: string, value: number, labels: Record<string, string>): void {
    this.#metric(Gauge, name, help, labels).inc(labels, value);
  }

  // Names come from this file and from components, which have fixed sets of their own.
  #metric(
    type: typeof Counter | typeof Gauge,
    name: string,
    help: string,
    labels: Record<string, string>,
  ): Counter | Gauge {
    let metric = this.#metrics.get(name);
    if (metric === undefined) {
      const registers = [this.#registry];
      metric = new type({ name, help, labelNames: Object.keys(labels), registers });
      this.#metrics.set(name, metric);
    }
    return metric;
  }
}
