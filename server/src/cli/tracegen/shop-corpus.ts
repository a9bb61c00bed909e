// SPDX-License-Identifier: Apache-2.0
import { SpanKind } from '@spoor/core/model/span.ts';
import { formatTraceId } from '@spoor/core/model/ids.ts';
import { createTiming, type CorpusOptions, type CorpusRequest } from './corpus.ts';
import type { OperationTruth, TruthRecorder } from './corpus-truth.ts';
import { ExportQueue, type ExportedBody, type ExportSource } from './export-queue.ts';
import { Random } from './random.ts';
import { namesOrder } from './shop-attributes.ts';
import { ShopSpanEncoder, endOffsetNanos, startOffsetNanos } from './shop-span-encoder.ts';
import type { SpanTemplate } from './shop-span-template.ts';
import { createShopTopology, type ShopService } from './shop-topology.ts';
import { ShopTrace } from './shop-trace.ts';

/** Traces do not start evenly: each is moved by up to this. */
const JITTER_NANOS = 20_000_000;
const DEFAULT_REQUEST_SPANS = 512;
const DEFAULT_EXPORT_INTERVAL_MS = 5000;

/** The requests of profile `shop`. */
export function* shopRequests(
  options: CorpusOptions,
  recorder: TruthRecorder,
): Generator<CorpusRequest> {
  const random = new Random(options.seed);
  const timing = createTiming(options);
  const topology = createShopTopology(random);
  const encoder = new ShopSpanEncoder(topology, random);
  const queue = new ExportQueue(
    (options.exportIntervalMs ?? DEFAULT_EXPORT_INTERVAL_MS) * 1e6,
    options.requestSpans ?? DEFAULT_REQUEST_SPANS,
  );
  const sources = topology.instances.map((instance): ExportSource => ({
    resource: instance.resource,
    scopes: [instance.service.libraryScope, instance.service.ownScope],
    phaseRatio: instance.phaseRatio,
  }));
  const truth = new ShopTruth(recorder, topology.services);
  let made = 0;
  let previous: ShopTrace | undefined;
  while (made < options.spans && !timing.stopped()) {
    const trace = new ShopTrace(topology, random);
    const { spans } = trace;
    // The last trace is cut for the exact count; parents come before their children.
    if (spans.length > options.spans - made) spans.length = options.spans - made;
    const progress = timing.startNanos(made / options.spans);
    const startNanos = wholeMicros(progress + random.int(JITTER_NANOS));
    const base = timing.originUnixNano + BigInt(startNanos);
    const baseLo = Number(base & 0xffffffffn);
    const baseHi = Number(base >> 32n);
    encoder.begin(trace);
    truth.begin();
    for (const span of spans) {
      const scope = span.kind === SpanKind.internal ? 1 : 0;
      const endNanos = startNanos + endOffsetNanos(span);
      const slot = queue.writer(sources[span.instance.index]!, scope, endNanos);
      encoder.encode(slot.writer, trace, span, baseLo, baseHi, previous);
      queue.added(slot);
      truth.span(encoder.template(span), span.instance.service, span.kind);
    }
    truth.end(trace, base, encoder);
    made += spans.length;
    previous = trace;
    yield* named(queue.take(progress));
  }
  yield* named(queue.take(Number.POSITIVE_INFINITY));
}

function* named(bodies: Iterable<ExportedBody>): Generator<CorpusRequest> {
  for (const { body, spans } of bodies) yield { body, spans, tenant: '' };
}

/** SDKs of most languages have µs clocks for the start of a trace. */
function wholeMicros(nanos: number): number {
  return Math.floor(nanos / 1000) * 1000;
}

/** Keeps count of the spans of the shop. */
class ShopTruth {
  readonly #recorder: TruthRecorder;
  readonly #services: readonly ShopService[];
  readonly #operations = new Map<SpanTemplate, OperationTruth>();
  /** Sorted names by set of services. Traces have some thousand different sets. */
  readonly #serviceNames = new Map<number, readonly string[]>();
  #serviceSet = 0;

  constructor(recorder: TruthRecorder, services: readonly ShopService[]) {
    this.#recorder = recorder;
    this.#services = services;
  }

  begin(): void {
    this.#serviceSet = 0;
  }

  span(template: SpanTemplate, service: ShopService, kind: number): void {
    this.#serviceSet |= 1 << service.index;
    let operation = this.#operations.get(template);
    if (operation === undefined) {
      operation = this.#recorder.operation('', service.spec.name, template.name, kind);
      this.#operations.set(template, operation);
    }
    operation.spanCount++;
  }

  end(trace: ShopTrace, base: bigint, encoder: ShopSpanEncoder): void {
    const root = trace.spans[0]!;
    let endNanos = 0;
    let startNanos = Number.POSITIVE_INFINITY;
    let errorCount = 0;
    let withOrder = false;
    for (const span of trace.spans) {
      startNanos = Math.min(startNanos, startOffsetNanos(span));
      endNanos = Math.max(endNanos, endOffsetNanos(span));
      if (span.failed) errorCount++;
      withOrder ||= namesOrder(span);
    }
    this.#recorder.trace({
      tenant: '',
      traceId: formatTraceId(trace.id, 0),
      spanCount: trace.spans.length,
      errorCount,
      rootServiceName: root.instance.service.spec.name,
      rootSpanName: encoder.template(root).name,
      startTimeUnixNano: base + BigInt(startNanos),
      endTimeUnixNano: base + BigInt(endNanos),
      serviceNames: this.#names(this.#serviceSet),
      userId: trace.userId,
      orderId: withOrder ? trace.orderId : '',
    });
  }

  #names(set: number): readonly string[] {
    let names = this.#serviceNames.get(set);
    if (names === undefined) {
      names = this.#services
        .filter((service) => (set & (1 << service.index)) !== 0)
        .map((service) => service.spec.name)
        .toSorted();
      this.#serviceNames.set(set, names);
    }
    return names;
  }
}
