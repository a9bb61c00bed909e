// SPDX-License-Identifier: Apache-2.0
import { AttributeTag, encodeAttribute, encodeAttributes } from './attribute-writer.ts';
import { BodyWriter } from './body-writer.ts';

/** An exception that services of the shop throw. */
export interface ShopException {
  readonly type: string;
  readonly message: string;
  /** The span attribute `error.type`, encoded. */
  readonly errorType: Uint8Array;
}

const TYPES = [
  'java.lang.IllegalStateException',
  'TimeoutError',
  'io.grpc.StatusRuntimeException',
  'psycopg.OperationalError',
  'System.InvalidOperationException',
  'ConnectionResetError',
];
const MESSAGES = [
  'connection reset by peer',
  'deadline exceeded after 1.999s',
  'could not serialize access due to concurrent update',
  'upstream closed the stream before it sent headers',
  'card declined: insufficient funds',
  'pool exhausted: 50 connections in use',
];

/** Every type with every message. */
export const SHOP_EXCEPTIONS: readonly ShopException[] = TYPES.flatMap((type) =>
  MESSAGES.map((message) => ({
    type,
    message,
    errorType: encodeAttribute(AttributeTag.span, 'error.type', type),
  })),
);

/** Name and attributes of the event `exception`, with a stack of about 450 bytes. */
export function encodeException(service: string, exception: ShopException): Uint8Array {
  const { type, message } = exception;
  const frames = Array.from(
    { length: 6 },
    (_, i) => `\tat shop.${service}.internal.Handler$${i}.handle(Handler.java:${40 + i * 13})\n`,
  );
  const writer = new BodyWriter(1024);
  writer.text(0x12, 'exception');
  const attributes = encodeAttributes(AttributeTag.event, [
    ['exception.type', type],
    ['exception.message', message],
    ['exception.stacktrace', `${type}: ${message}\n${frames.join('')}`],
  ]);
  writer.reserve(attributes.length);
  writer.raw(attributes);
  return writer.copy();
}
