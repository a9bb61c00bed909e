// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_TENANT } from '@spoor/core/model/ids.ts';
import { attributes, span } from '@spoor/core/query/testing/example-span.ts';
import { batchOf } from '@spoor/core/query/testing/span-body.ts';
import { KafkaExporter } from './kafka-exporter.ts';

test('a write of which every span is too large for a record is refused for good', async () => {
  const log: string[] = [];
  const write = (_: object, message: string): void => void log.push(message);
  const exporter = new KafkaExporter(
    {
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
    },
    {
      path: 'exporters.kafka',
      tenantHeader: undefined,
      logger: { info: write, warn: write, error: write },
    },
  );
  const huge = span({ attributes: attributes({ text: 'x'.repeat(2000) }) });
  await assert.rejects(exporter.write(DEFAULT_TENANT, batchOf([huge])), { code: 'too_large' });
  assert.equal(log.length, 1);
  const tooLarge = [...exporter.figures()].find(({ name }) => name.includes('too_large'));
  assert.equal(tooLarge?.value, 1);
});
