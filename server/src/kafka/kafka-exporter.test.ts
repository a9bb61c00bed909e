// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SpoorError } from '@spoor/core/model/errors.ts';
import { DEFAULT_TENANT } from '@spoor/core/model/ids.ts';
import { attributes, span } from '@spoor/core/query/testing/example-span.ts';
import { batchOf } from '@spoor/core/query/testing/span-body.ts';
import type { SendingExporter } from '#exporters/sending/sending-exporter.ts';
import { createKafkaExporter, type KafkaExporterSettings } from './kafka-exporter.ts';

const SETTINGS: KafkaExporterSettings = {
  path: 'exporters.kafka',
  brokers: ['127.0.0.1:9'],
  clientId: 'spoor',
  sasl: undefined,
  tls: undefined,
  timeoutMs: 1000,
  createsTopics: false,
  topic: 'spans',
  encoding: 'otlp_proto',
  compression: 'none',
  maxMessageBytes: 1000,
  tenantHeader: undefined,
  breaker: { failureThreshold: 1, openMs: 60_000, maxOpenMs: 60_000 },
  retry: undefined,
  queue: {
    storage: 'none',
    capacityBytes: 0,
    maxUnderWay: 4,
    directory: '',
  },
};

function bed(): { exporter: SendingExporter; log: string[]; figure: (name: string) => number } {
  const log: string[] = [];
  const write = (_: object, message: string): void => void log.push(message);
  const exporter = createKafkaExporter(SETTINGS, { info: write, warn: write, error: write });
  const figure = (name: string): number =>
    [...exporter.figures()].find(
      (one) =>
        `${one.name} ${one.labels?.['reason'] ?? one.labels?.['state'] ?? ''}`.trim() === name,
    )!.value;
  return { exporter, log, figure };
}

test('a write of which every span is too large for a record is refused for good', async () => {
  const { exporter, log, figure } = bed();
  const huge = span({ attributes: attributes({ text: 'x'.repeat(2000) }) });
  await assert.rejects(exporter.write(DEFAULT_TENANT, batchOf([huge])), { code: 'too_large' });
  assert.equal(log.length, 1);
  assert.equal(figure('spoor_exporter_dropped_spans_total too_large'), 1);
});

test('while brokers do not answer, writes are refused at once, with a hint', async () => {
  const { exporter, figure } = bed();
  const batch = batchOf([span({})]);
  // It is not started, so that no broker can be there.
  await assert.rejects(exporter.write(DEFAULT_TENANT, batch), { code: 'unavailable' });
  assert.equal(figure('spoor_exporter_servers open'), 1);
  await assert.rejects(
    exporter.write(DEFAULT_TENANT, batch),
    (error) =>
      error instanceof SpoorError &&
      error.message.includes('left alone') &&
      (error.retryAfterMs ?? 0) > 1000,
  );
});
