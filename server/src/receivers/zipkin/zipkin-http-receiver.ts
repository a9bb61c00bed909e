// SPDX-License-Identifier: Apache-2.0
import type { GuestPort } from '#net/guest-port.ts';
import {
  HttpReceiver,
  type HttpDialect,
  type HttpReceiverSettings,
} from '#receivers/http-receiver.ts';
import type { PlacedReceiverParts } from '#receivers/intake.ts';
import { refuseWithText } from '#receivers/text-refusal.ts';

const JSON_TYPE = 'application/json';

const DIALECT: HttpDialect = {
  name: 'zipkin http',
  routes: [
    {
      path: '/api/v2/spans',
      formats: new Map([
        [JSON_TYPE, 'zipkin_json'],
        ['application/x-protobuf', 'zipkin_proto'],
      ]),
      // As Zipkin does: some senders say text/plain, or nothing.
      otherwise: 'zipkin_json',
    },
    {
      path: '/api/v1/spans',
      formats: new Map([
        [JSON_TYPE, 'zipkin_v1_json'],
        ['application/x-thrift', 'zipkin_v1_thrift'],
      ]),
      otherwise: 'zipkin_v1_json',
    },
  ],
  answer(exchange, _format, _result, headers) {
    exchange.answer(202, headers, '');
  },
  refuse(exchange, _format, refusal, headers) {
    refuseWithText(exchange, refusal, headers);
  },
};

/**
 * Receives Zipkin's spans over HTTP, of both versions. Answers are Zipkin's: 202 without a body, errors as text.
 * @param guest that connections over HTTP/2 are for
 * @see https://zipkin.io/zipkin-api/
 */
export function createZipkinHttpReceiver(
  settings: HttpReceiverSettings,
  parts: PlacedReceiverParts,
  guest?: GuestPort,
): HttpReceiver {
  return new HttpReceiver(settings, parts, DIALECT, guest);
}
