// SPDX-License-Identifier: Apache-2.0
import { SpanKind } from '@spoor/core/model/span.ts';
import {
  AttributeTag,
  attributeKey,
  encodeAttribute,
  writeAscii,
  writeDouble,
  writeInt,
} from './attribute-writer.ts';
import { BodyWriter } from './body-writer.ts';
import type { Random } from './random.ts';
import { SHOP_STATEMENTS } from './shop-catalog.ts';
import type { ShopOperation } from './shop-topology.ts';
import type { ShopSpan, ShopTrace } from './shop-trace.ts';

const SPAN = AttributeTag.span;

/** Attributes that are the same in all spans of a trace, encoded. */
interface TracePieces {
  readonly user: Uint8Array;
  readonly order: Uint8Array;
  readonly session: Uint8Array;
  readonly sku: Uint8Array;
  readonly agent: Uint8Array;
  readonly clientAddress: Uint8Array;
}

/** Writes those attributes of the shop's spans that are not in their templates. */
export class ShopAttributes {
  readonly #random: Random;
  readonly #agents = USER_AGENTS.map((text) => encodeAttribute(SPAN, 'user_agent.original', text));
  #pieces: TracePieces | undefined;
  #kafkaOffset = 10_000;

  constructor(random: Random) {
    this.#random = random;
  }

  /** Must be called before the spans of a trace are encoded. */
  begin(trace: ShopTrace): void {
    this.#pieces = {
      user: encodeText('user.id', trace.userId),
      order: encodeText('order.id', trace.orderId),
      session: encodeText('session.id', trace.sessionId),
      sku: encodeText('app.product.sku', trace.sku),
      agent: this.#random.pick(this.#agents),
      clientAddress: encodeText('client.address', trace.clientAddress),
    };
  }

  /** Appends the attributes that differ from span to span; {@link begin} comes first. */
  write(writer: BodyWriter, trace: ShopTrace, span: ShopSpan): void {
    const { operation } = span;
    const pieces = this.#pieces!;
    const thread = this.#random.between(1, 64);
    if (span.kind === SpanKind.internal) this.#internalAttributes(writer, span, thread);
    else if (span.kind === SpanKind.client) this.#clientAttributes(writer, trace, span);
    else if (span.kind === SpanKind.server) this.#serverAttributes(writer, trace, span);
    else this.#messagingAttributes(writer, trace, span);
    writeInt(writer, SPAN, KEY.thread, thread);
    const business = span.kind !== SpanKind.client && span.kind !== SpanKind.producer;
    const store = isStore(operation);
    if ((business || operation.service.spec.protocol === 'http') && !store) writer.raw(pieces.user);
    if (namesOrder(span)) writer.raw(pieces.order);
  }

  #serverAttributes(writer: BodyWriter, trace: ShopTrace, span: ShopSpan): void {
    const { operation } = span;
    const pieces = this.#pieces!;
    const { protocol, name } = operation.service.spec;
    if (protocol === 'http') {
      writeAscii(writer, SPAN, KEY.path, this.#path(trace, operation));
      writeInt(writer, SPAN, KEY.httpStatus, this.#httpStatus(span));
      if (name === 'storefront') {
        writer.raw(pieces.agent);
        writer.raw(pieces.session);
        writer.raw(pieces.clientAddress);
        return;
      }
    } else if (protocol === 'grpc') {
      writeAscii(writer, SPAN, KEY.rpcStatus, this.#rpcStatus(span));
      writeInt(writer, SPAN, KEY.peerPort, this.#random.between(32_768, 60_999));
      if (operation.name === 'GetProduct') writer.raw(pieces.sku);
    } else {
      writeInt(writer, SPAN, KEY.rows, this.#random.int(50));
    }
    writeAscii(writer, SPAN, KEY.clientAddress, span.peer?.address ?? trace.clientAddress);
  }

  #clientAttributes(writer: BodyWriter, trace: ShopTrace, span: ShopSpan): void {
    const { operation } = span;
    const { protocol, name, port } = operation.service.spec;
    if (protocol === 'http') {
      const url = `http://${name}:${port}${this.#path(trace, operation)}`;
      writeAscii(writer, SPAN, KEY.url, url);
      writeInt(writer, SPAN, KEY.httpStatus, this.#httpStatus(span));
    } else if (protocol === 'grpc') {
      writeAscii(writer, SPAN, KEY.rpcStatus, this.#rpcStatus(span));
      if (this.#random.chance(0.5)) {
        writeInt(writer, SPAN, KEY.requestSize, this.#random.between(20, 2000));
      }
    } else if (protocol === 'valkey') {
      writeAscii(writer, SPAN, KEY.query, `${operation.name} ${cacheKey(trace, operation)}`);
      writer.raw(this.#random.chance(0.8) ? CACHE_HIT : CACHE_MISS);
    } else {
      writeAscii(writer, SPAN, KEY.query, this.#statement(trace, operation));
      writeInt(writer, SPAN, KEY.rows, this.#random.int(50));
    }
    writeAscii(writer, SPAN, KEY.peerAddress, span.peer!.address);
    if (protocol !== 'postgresql') writeInt(writer, SPAN, KEY.peerPort, port);
  }

  #internalAttributes(writer: BodyWriter, span: ShopSpan, thread: number): void {
    writeAscii(writer, SPAN, KEY.threadName, `worker-${thread}`);
    writeInt(writer, SPAN, KEY.items, this.#random.int(12));
    const amount = Math.round(this.#random.logNormal(40, 0.8) * 100) / 100;
    writeDouble(writer, SPAN, KEY.amount, amount);
    if (span.operation.service.spec.protocol === 'grpc') writer.raw(this.#pieces!.sku);
  }

  #messagingAttributes(writer: BodyWriter, trace: ShopTrace, span: ShopSpan): void {
    writeAscii(writer, SPAN, KEY.partition, String(this.#random.int(12)));
    writeInt(writer, SPAN, KEY.bodySize, this.#random.between(200, 3200));
    if (span.kind === SpanKind.producer) {
      writeAscii(writer, SPAN, KEY.messageKey, trace.orderId);
    } else {
      writeInt(writer, SPAN, KEY.offset, this.#kafkaOffset++);
    }
  }

  #path(trace: ShopTrace, operation: ShopOperation): string {
    switch (operation.object) {
      case '/products/{id}':
        return `/products/${trace.sku}`;
      case '/orders/{id}':
        return `/orders/${trace.orderId}`;
      case '/v2/parcels/{id}':
        return `/v2/parcels/${this.#random.int(1_000_000)}`;
      default:
        return operation.object;
    }
  }

  #httpStatus(span: ShopSpan): number {
    return this.#random.pick(span.failed ? HTTP_FAILED : HTTP_FINE);
  }

  #rpcStatus(span: ShopSpan): string {
    return span.failed ? this.#random.pick(RPC_FAILED) : 'OK';
  }

  #statement(trace: ShopTrace, operation: ShopOperation): string {
    const random = this.#random;
    let literal = trace.sku;
    if (operation.object === 'users') literal = trace.userId;
    else if (operation.object === 'carriers') literal = random.pick(ZONES);
    else if (operation.object === 'synonyms') literal = random.pick(LANGUAGES);
    else if (ORDER_TABLES.has(operation.object)) literal = trace.orderId;
    const statement = SHOP_STATEMENTS[operation.name]!;
    return statement.replace('$1', literal).replace('$2', String(random.int(100)));
  }
}

function encodeText(key: string, text: string): Uint8Array {
  const writer = new BodyWriter(key.length + text.length + 32);
  writeAscii(writer, SPAN, attributeKey(key), text);
  return writer.bytes.subarray(0, writer.position);
}

function isStore(operation: ShopOperation): boolean {
  const { protocol } = operation.service.spec;
  return protocol === 'postgresql' || protocol === 'valkey';
}

/** Whether the attribute `order.id` is on a span. */
export function namesOrder(span: ShopSpan): boolean {
  if (span.kind === SpanKind.producer) return true;
  return span.operation.order && span.kind !== SpanKind.client;
}

/** What a span looks up in the cache. */
export function cacheKey(trace: ShopTrace, operation: ShopOperation): string {
  switch (operation.name) {
    case 'HGETALL':
    case 'HSET':
      return `basket:${trace.userId} lines`;
    case 'EXPIRE':
      return `basket:${trace.userId} 3600`;
    case 'SET':
      return `session:${trace.sessionId} ? EX 900`;
    case 'DEL':
      return `basket:${trace.userId}`;
    case 'GET':
      return `session:${trace.sessionId}`;
    default:
      return `product:${trace.sku}`;
  }
}

const KEY = {
  amount: attributeKey('app.amount'),
  bodySize: attributeKey('messaging.message.body.size'),
  clientAddress: attributeKey('client.address'),
  httpStatus: attributeKey('http.response.status_code'),
  items: attributeKey('app.items.count'),
  messageKey: attributeKey('messaging.kafka.message.key'),
  offset: attributeKey('messaging.kafka.offset'),
  partition: attributeKey('messaging.destination.partition.id'),
  path: attributeKey('url.path'),
  peerAddress: attributeKey('network.peer.address'),
  peerPort: attributeKey('network.peer.port'),
  query: attributeKey('db.query.text'),
  requestSize: attributeKey('rpc.request.size'),
  rows: attributeKey('db.response.returned_rows'),
  rpcStatus: attributeKey('rpc.response.status_code'),
  thread: attributeKey('thread.id'),
  threadName: attributeKey('thread.name'),
  url: attributeKey('url.full'),
} as const;

const USER_AGENTS = [
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36',
  'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Safari/605.1.15',
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148',
  'Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0',
  'shop-android/7.4.1 (Android 16; Pixel 9)',
  'k6/1.3.0 (https://k6.io/)',
];
const HTTP_FINE = [200, 200, 200, 200, 200, 200, 200, 200, 201, 204, 302, 304, 404];
const HTTP_FAILED = [500, 500, 502, 503, 504, 429];
const RPC_FAILED = ['UNAVAILABLE', 'INTERNAL', 'DEADLINE_EXCEEDED'];
const ZONES = ['eu-1', 'eu-2', 'us-east', 'us-west', 'apac'];
const LANGUAGES = ['de', 'en', 'fr', 'zh'];
const ORDER_TABLES: ReadonlySet<string> = new Set(['orders', 'payments', 'parcels', 'audit_log']);
const CACHE_HIT = encodeAttribute(SPAN, 'app.cache.hit', true);
const CACHE_MISS = encodeAttribute(SPAN, 'app.cache.hit', false);
