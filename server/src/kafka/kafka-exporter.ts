// SPDX-License-Identifier: Apache-2.0
import { SpoorError } from '@spoor/core/model/errors.ts';
import type { Tenant } from '@spoor/core/model/ids.ts';
import type { SpanBatch } from '@spoor/core/model/span-batch.ts';
import { createDelivery, type DeliverySettings } from '#exporters/sending/delivery.ts';
import { SendingExporter } from '#exporters/sending/sending-exporter.ts';
import type { ExportRequest } from '#exporters/sending/transport.ts';
import { LogThrottle, type Logger } from '#net/logger.ts';
import { KafkaClient, type KafkaClientSettings } from './kafka-client.ts';
import { KafkaCluster, type KafkaClusterSettings } from './kafka-cluster.ts';
import type { KafkaEncoding } from './kafka-encoding.ts';
import { encodeFrames } from './record-frames.ts';
import { traceRecords } from './trace-records.ts';

/** Settings of an exporter to Kafka. */
export interface KafkaExporterSettings
  extends DeliverySettings, KafkaClientSettings, KafkaClusterSettings {
  readonly encoding: KafkaEncoding;
}

const LOG_INTERVAL_MS = 10_000;

/** Writes spans to a topic. A request was taken when all replicas in sync have its records. */
export function createKafkaExporter(
  settings: KafkaExporterSettings,
  logger: Logger,
): SendingExporter {
  const { path, encoding, maxMessageBytes } = settings;
  const client = new KafkaClient(path, settings, logger);
  const cluster = new KafkaCluster(path, settings, settings.breaker, client);
  const delivery = createDelivery(
    settings,
    {
      destinations: cluster,
      routing: 'round_robin',
      isOtlp: false,
      maxRequestBytes: maxMessageBytes,
    },
    logger,
  );
  const throttle = new LogThrottle(LOG_INTERVAL_MS);
  const requestsOf = async (tenant: Tenant, batch: SpanBatch): Promise<ExportRequest[]> => {
    const maxValueBytes = cluster.maxValueBytes(tenant);
    const { records, tooLargeSpans } = await traceRecords(batch, encoding, maxValueBytes);
    if (tooLargeSpans > 0) {
      delivery.sender.drop('too_large', tooLargeSpans);
      throttle.log((suppressed) =>
        logger.error(
          { spans: tooLargeSpans, maxMessageBytes, suppressed },
          `${path}: spans larger than producer.max_message_bytes were dropped`,
        ),
      );
      if (records.length === 0) {
        throw new SpoorError('too_large', `${path}: no span is small enough for a record`);
      }
    }
    return [{ tenant, body: encodeFrames(records), spans: batch.rows - tooLargeSpans }];
  };
  // The client's own certificates are the client's.
  return new SendingExporter({ ...delivery, destinations: cluster, requestsOf, tls: undefined });
}
