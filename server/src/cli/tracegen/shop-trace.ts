// SPDX-License-Identifier: Apache-2.0
import { SpanKind } from '@spoor/core/model/span.ts';
import type { Random } from './random.ts';
import type { ShopInstance, ShopOperation, ShopTopology } from './shop-topology.ts';

/** A span of a trace that is being made. Times are µs since the start of the trace. */
export interface ShopSpan {
  readonly kind: number;
  /** What it does, or for CLIENT and PRODUCER what it asks for. */
  readonly operation: ShopOperation;
  /** Who made it. */
  readonly instance: ShopInstance;
  /** The other side of a call, undefined where there is none. */
  readonly peer: ShopInstance | undefined;
  /** Index of an INTERNAL span's name in its service's list. */
  readonly internal: number;
  readonly parent: ShopSpan | undefined;
  readonly children: ShopSpan[];
  readonly depth: number;
  /** Random; never both 0. */
  readonly idLo: number;
  readonly idHi: number;
  /** Calls made so far. */
  called: number;
  /** True when its children run at the same time. */
  parallel: boolean;
  startMicros: number;
  durationMicros: number;
  failed: boolean;
}

/** Traces have 5 to 60 spans. */
const MIN_SPANS = 5;
const MAX_SPANS = 60;
/** Below this depth only INTERNAL spans are added. */
const MAX_DEPTH = 10;

/** A trace of the shop: its spans, parents before children, and what is the same for all of them. */
export class ShopTrace {
  readonly id: Uint8Array = new Uint8Array(16);
  readonly spans: ShopSpan[] = [];
  readonly userId: string;
  readonly orderId: string;
  readonly sessionId: string;
  readonly sku: string;
  readonly clientAddress: string;
  readonly #random: Random;
  readonly #target: number;
  /** Spans that may get children. */
  readonly #open: ShopSpan[] = [];

  constructor(topology: ShopTopology, random: Random) {
    this.#random = random;
    random.fill(this.id);
    this.id[15]! |= 1;
    // A fifth of the traffic comes from 1 % of the users.
    const user = random.int(random.chance(0.2) ? 1000 : 100_000);
    this.userId = `user-${String(user).padStart(6, '0')}`;
    this.orderId = random.uuid();
    this.sessionId = random.hex(16);
    this.sku = `SKU-${random.hex(7).toUpperCase()}`;
    this.clientAddress = `${random.between(11, 190)}.${random.int(256)}.${random.int(256)}.${random.int(256)}`;
    this.#target = targetSpans(random);
    this.#grow(pickEntrance(topology, random));
    const root = this.spans[0]!;
    this.#layOut(root);
    this.#place(root, 0);
    this.#spreadErrors();
  }

  #grow(entrance: ShopOperation): void {
    const random = this.#random;
    const instance = random.pick(entrance.service.instances);
    const root = this.#add(SpanKind.server, entrance, instance, undefined, undefined, -1);
    while (this.spans.length < this.#target) {
      const parent = this.spans.length < 4 ? root : this.#pickOpen();
      const { calls } = parent.operation;
      const canCall = calls.length > 0 && parent.depth < MAX_DEPTH;
      if (!canCall || random.chance(parent.kind === SpanKind.internal ? 0.5 : 0.165)) {
        const { service } = parent.instance;
        const internal = random.int(service.spec.internals.length);
        this.#add(
          SpanKind.internal,
          parent.operation,
          parent.instance,
          undefined,
          parent,
          internal,
        );
        continue;
      }
      const inOrder = parent.called < calls.length && (parent.called === 0 || random.chance(0.6));
      this.#call(parent, inOrder ? parent.called : random.int(calls.length));
      parent.called++;
      parent.parallel ||= random.chance(0.08);
    }
  }

  /** Prefers the shallower of two, and spans with few children. */
  #pickOpen(): ShopSpan {
    const first = this.#random.pick(this.#open);
    if (first.depth < 6 && first.children.length < 6) return first;
    const second = this.#random.pick(this.#open);
    return second.depth < first.depth ? second : first;
  }

  #call(parent: ShopSpan, index: number): void {
    const random = this.#random;
    const { operation, publish } = parent.operation.calls[index]!;
    const peer = random.pick(operation.service.instances);
    const outgoing = publish ? SpanKind.producer : SpanKind.client;
    const client = this.#add(outgoing, operation, parent.instance, peer, parent, -1);
    if (this.spans.length >= this.#target) return;
    const { protocol } = operation.service.spec;
    const store = protocol === 'postgresql' || protocol === 'valkey';
    // Most stores are not instrumented: their spans come through a proxy that sees a part.
    if (store && !random.chance(0.3)) return;
    const incoming = publish ? SpanKind.consumer : SpanKind.server;
    this.#add(incoming, operation, peer, parent.instance, client, -1);
  }

  #add(
    kind: number,
    operation: ShopOperation,
    instance: ShopInstance,
    peer: ShopInstance | undefined,
    parent: ShopSpan | undefined,
    internal: number,
  ): ShopSpan {
    const span: ShopSpan = {
      kind,
      operation,
      instance,
      peer,
      internal,
      parent,
      children: [],
      depth: parent === undefined ? 0 : parent.depth + 1,
      idLo: (this.#random.uint32() | 1) >>> 0,
      idHi: this.#random.uint32(),
      called: 0,
      parallel: false,
      startMicros: 0,
      durationMicros: 0,
      failed: false,
    };
    this.spans.push(span);
    parent?.children.push(span);
    const leaf = kind === SpanKind.client || kind === SpanKind.producer;
    if (!leaf && (kind !== SpanKind.internal || span.depth < 6)) this.#open.push(span);
    return span;
  }

  /** Durations, from the leaves up: own time plus the children's, or the longest child's when they run together. */
  #layOut(span: ShopSpan): void {
    let total = ownMicros(span, this.#random);
    let longest = 0;
    for (const child of span.children) {
      this.#layOut(child);
      if (child.kind === SpanKind.consumer) continue;
      if (span.parallel) longest = Math.max(longest, child.durationMicros);
      else total += child.durationMicros;
    }
    span.durationMicros = total + longest;
    if (span.children.length === 0) span.failed = this.#random.chance(0.0375);
  }

  /** Starts, from the root down: children inside their parent, consumers some time after their producer. */
  #place(span: ShopSpan, startMicros: number): void {
    span.startMicros = startMicros;
    let busy = 0;
    let count = 0;
    for (const child of span.children) {
      if (child.kind === SpanKind.consumer) continue;
      busy = span.parallel ? Math.max(busy, child.durationMicros) : busy + child.durationMicros;
      count++;
    }
    const gap = (span.durationMicros - busy) / (count + 1);
    let cursor = startMicros + gap;
    for (const child of span.children) {
      if (child.kind === SpanKind.consumer) {
        this.#place(child, startMicros + span.durationMicros + this.#random.logNormal(15_000, 1));
        continue;
      }
      this.#place(child, cursor);
      if (!span.parallel) cursor += child.durationMicros + gap;
    }
  }

  /** An error often makes the caller fail too; consumers keep theirs to themselves. */
  #spreadErrors(): void {
    for (let i = this.spans.length - 1; i > 0; i--) {
      const span = this.spans[i]!;
      if (!span.failed || span.kind === SpanKind.consumer || span.parent === undefined) continue;
      if (this.#random.chance(0.55)) span.parent.failed = true;
    }
  }
}

function ownMicros(span: ShopSpan, random: Random): number {
  let micros: number;
  switch (span.kind) {
    case SpanKind.server:
    case SpanKind.consumer:
      micros = random.logNormal(span.operation.selfMicros, 0.7);
      break;
    case SpanKind.internal:
      micros = random.logNormal(350, 0.9);
      break;
    case SpanKind.producer:
      micros = random.logNormal(600, 0.6);
      break;
    default:
      micros = random.logNormal(260, 0.5);
      // Nobody reports the other side: its time is in here.
      if (span.children.length === 0) micros += random.logNormal(span.operation.selfMicros, 0.8);
  }
  // Three in a thousand are stragglers.
  return random.chance(0.003) ? micros * (20 + 80 * random.float()) : micros;
}

function targetSpans(random: Random): number {
  for (;;) {
    const spans = 4 + Math.floor(random.logNormal(11.4, 0.85));
    if (spans >= MIN_SPANS && spans <= MAX_SPANS) return spans;
  }
}

function pickEntrance(topology: ShopTopology, random: Random): ShopOperation {
  let rest = random.float() * 100;
  for (const { operation, weight } of topology.entrances) {
    if (rest < weight) return operation;
    rest -= weight;
  }
  return topology.entrances[0]!.operation;
}
