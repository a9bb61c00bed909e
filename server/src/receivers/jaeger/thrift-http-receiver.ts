// SPDX-License-Identifier: Apache-2.0
import type { Refusal } from '#net/refusal.ts';
import {
  HttpReceiver,
  type HttpDialect,
  type HttpQuestion,
  type HttpReceiverSettings,
} from '#receivers/http-receiver.ts';
import type { PlacedReceiverParts } from '#receivers/intake.ts';
import { samplingAnswer } from '#sampling/sampling-answer.ts';
import type { StrategiesSource } from '#sampling/strategies-source.ts';
import { refuseWithText } from '#receivers/text-refusal.ts';

const DIALECT: HttpDialect = {
  name: 'jaeger http',
  routes: [
    {
      path: '/api/traces',
      formats: new Map([
        ['application/x-thrift', 'jaeger_thrift'],
        ['application/vnd.apache.thrift.binary', 'jaeger_thrift'],
      ]),
    },
  ],
  answer(exchange, _format, _result, headers) {
    exchange.answer(202, headers, '');
  },
  refuse(exchange, format, refusal, headers) {
    // Jaeger has 400 for a content type that it does not know.
    const isWrongType = refusal.reason === 'unsupported' && format === 'unknown';
    const status = isWrongType ? 400 : refusal.httpStatus;
    refuseWithText(exchange, refusal, headers, textOf(refusal, isWrongType), status);
  },
};

/**
 * Receives Jaeger's Thrift over HTTP: POST of a `Batch`. Answers are Jaeger's: 202 without a body, errors as text; but that
 * what should be sent again is 503 and not 500. `GET /api/sampling?service=NAME` has the sampling strategy of a service.
 */
export function createThriftHttpReceiver(
  settings: HttpReceiverSettings,
  parts: PlacedReceiverParts,
  strategies: StrategiesSource,
): HttpReceiver {
  const answer: HttpQuestion = (exchange) => {
    const told = samplingAnswer(strategies, exchange.request.url ?? '');
    if (told.status === 200) {
      exchange.answer(200, ['content-type', 'application/json'], JSON.stringify(told.json));
    } else {
      const headers = ['content-type', 'text/plain; charset=utf-8'];
      exchange.answer(told.status, headers, `${told.text}\n`);
    }
  };
  return new HttpReceiver(settings, parts, {
    ...DIALECT,
    questions: new Map([
      ['/api/sampling', answer],
      ['/api/baggageRestrictions', answer],
    ]),
  });
}

function textOf({ reason, message }: Refusal, isWrongType: boolean): string {
  if (isWrongType) return `Unsupported content type: ${message}`;
  if (reason === 'malformed' || reason === 'too_large') {
    return `Unable to process request body: ${message}`;
  }
  return reason === 'overloaded' || reason === 'unavailable' || reason === 'internal'
    ? `Cannot submit Jaeger batch: ${message}`
    : message;
}
