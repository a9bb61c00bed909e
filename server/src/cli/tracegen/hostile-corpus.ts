// SPDX-License-Identifier: Apache-2.0
import { BodyWriter } from './body-writer.ts';
import { createTiming, type CorpusOptions, type CorpusRequest } from './corpus.ts';
import type { TruthRecorder } from './corpus-truth.ts';
import { DelayedRequests } from './delayed-requests.ts';
import { createHostileTenants, pickTenant, type HostileTenant } from './hostile-source.ts';
import { HostileTrace, type HostileSpan, type HostileTools } from './hostile-trace.ts';
import { HostileValues } from './hostile-values.ts';
import { Random } from './random.ts';

/** The trace that is far too large, where the corpus is large enough for it. */
const LARGE_TRACE_SPANS = 100_000;
const LARGE_TRACE_SHARE = 0.05;
/** Spans of the large trace that are made between two others. */
const LARGE_TRACE_STEP = 50;
const MAX_TRACE_SPANS = 200;
const MAX_REQUEST_SPANS = 20;
/** Spans that a tenant holds back, so that a request has spans of several traces, children before parents. */
const HELD_SPANS = 512;
const LATE_NANOS = 600e9;
const RESEND_NANOS = 30e9;

/** The requests of profile `hostile`. `spans` counts distinct ones: about 6 % are sent twice. */
export function* hostileRequests(
  options: CorpusOptions,
  recorder: TruthRecorder,
): Generator<CorpusRequest> {
  const random = new Random(options.seed);
  const timing = createTiming(options);
  const values = new HostileValues(random);
  const tools = { random, values, recorder };
  const tenants = createHostileTenants(random, values);
  const held = new Map(tenants.map((tenant) => [tenant, [] as HostileSpan[]]));
  const delayed = new DelayedRequests();
  const base = (nanos: number): bigint => timing.originUnixNano + BigInt(Math.floor(nanos));

  const largeSpans = Math.floor(Math.min(LARGE_TRACE_SPANS, options.spans * LARGE_TRACE_SHARE));
  const large = new HostileTrace(tools, tenants[0]!, newId(random), base(timing.startNanos(0)));
  let made = 0;
  let previousId = newId(random);
  while (made < options.spans && !timing.stopped()) {
    const ratio = made / options.spans;
    const nowNanos = timing.startNanos(ratio);
    if (large.spanCount < largeSpans && large.spanCount <= (ratio + 0.01) * largeSpans) {
      const step = Math.min(LARGE_TRACE_STEP, largeSpans - large.spanCount);
      grow(large, step, held.get(large.tenant)!);
      made += step;
    }
    const spans = Math.min(traceSpans(random), options.spans - made);
    if (spans > 0) {
      // Ids are a tenant's own: some are taken that another one has as well.
      const id = random.chance(0.01) ? previousId : newId(random);
      const tenant = pickOther(tenants, id === previousId, tools);
      const trace = new HostileTrace(tools, tenant, id, base(nowNanos));
      grow(trace, spans, held.get(tenant)!);
      trace.finish();
      made += spans;
      // Lent once only: the next one is new until a trace of another tenant has used it.
      if (id === previousId) previousId = newId(random);
      else if (tenant !== tenants[1]) previousId = id;
    }
    for (const [tenant, list] of held) {
      while (list.length > HELD_SPANS) {
        yield* delayed.pass(nextRequest(tenant, list, options, random), nowNanos, delays(random));
      }
    }
    yield* delayed.due(nowNanos);
  }
  if (large.spanCount > 0) large.finish();
  for (const [tenant, list] of held) {
    while (list.length > 0) yield nextRequest(tenant, list, options, random);
  }
  yield* delayed.due(Number.POSITIVE_INFINITY);
}

function grow(trace: HostileTrace, spans: number, held: HostileSpan[]): void {
  for (let i = 0; i < spans; i++) held.push(trace.next());
}

function traceSpans(random: Random): number {
  return Math.min(MAX_TRACE_SPANS, 1 + Math.floor(random.logNormal(8, 1)));
}

/** A trace with an id that was used before belongs to the second tenant, which never lends its own ids. */
function pickOther(
  tenants: readonly HostileTenant[],
  reused: boolean,
  { random }: HostileTools,
): HostileTenant {
  return reused ? tenants[1]! : pickTenant(tenants, random);
}

function newId(random: Random): Uint8Array {
  const id = new Uint8Array(16);
  random.fill(id);
  id[0]! |= 1;
  return id;
}

/** One in twenty requests comes ten minutes late, one in twenty is sent again soon after. */
function delays(random: Random): { lateNanos: number; resendNanos: number } {
  const lateNanos = random.chance(0.05) ? LATE_NANOS : 0;
  const resendNanos = random.chance(0.05) ? random.float() ** 4 * RESEND_NANOS : -1;
  return { lateNanos, resendNanos };
}

/** Takes spans out of `held` at random. Now and then one stays, to be sent again in another request. */
function nextRequest(
  tenant: HostileTenant,
  held: HostileSpan[],
  options: CorpusOptions,
  random: Random,
): CorpusRequest {
  const wanted = options.requestSpans ?? random.between(1, MAX_REQUEST_SPANS);
  const spans = random.chance(0.8)
    ? takeOfOneSource(held, wanted, random)
    : takeAny(held, wanted, random);
  if (held.length > 0 && random.chance(0.05)) held.push(spans[0]!);
  // Some senders do not group.
  if (random.chance(0.9)) spans.sort((a, b) => order(tenant, a) - order(tenant, b));
  return { body: encodeRequest(spans), spans: spans.length, tenant: tenant.name };
}

/** An SDK sends spans of its own process. */
function takeOfOneSource(held: HostileSpan[], wanted: number, random: Random): HostileSpan[] {
  const { source } = random.pick(held);
  const spans: HostileSpan[] = [];
  for (let i = held.length - 1; i >= 0 && spans.length < wanted; i--) {
    if (held[i]!.source === source) spans.push(takeAt(held, i));
  }
  return spans;
}

/** A collector mixes what it got. */
function takeAny(held: HostileSpan[], wanted: number, random: Random): HostileSpan[] {
  const spans: HostileSpan[] = [];
  while (spans.length < wanted && held.length > 0)
    spans.push(takeAt(held, random.int(held.length)));
  return spans;
}

function takeAt(held: HostileSpan[], index: number): HostileSpan {
  const span = held[index]!;
  held[index] = held.at(-1)!;
  held.length--;
  return span;
}

function order(tenant: HostileTenant, span: HostileSpan): number {
  return tenant.sources.indexOf(span.source) * 8 + span.scope;
}

function encodeRequest(spans: readonly HostileSpan[]): Uint8Array {
  const writer = new BodyWriter(spans.reduce((sum, span) => sum + span.bytes.length + 256, 1024));
  for (let i = 0; i < spans.length;) {
    const { source } = spans[i]!;
    const resourceSpans = writer.begin(0x0a);
    append(writer, source.resource);
    while (i < spans.length && spans[i]!.source === source) {
      const { scope } = spans[i]!;
      const scopeSpans = writer.begin(0x12);
      append(writer, source.scopes[scope]!.scope);
      for (; i < spans.length && spans[i]!.source === source && spans[i]!.scope === scope; i++) {
        append(writer, spans[i]!.bytes);
      }
      append(writer, source.scopes[scope]!.schemaUrl);
      writer.end(scopeSpans);
    }
    append(writer, source.schemaUrl);
    writer.end(resourceSpans);
  }
  return writer.bytes.subarray(0, writer.position);
}

function append(writer: BodyWriter, bytes: Uint8Array): void {
  writer.reserve(bytes.length);
  writer.raw(bytes);
}
