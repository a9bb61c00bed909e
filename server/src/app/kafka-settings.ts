// SPDX-License-Identifier: Apache-2.0
import { parseTenant } from '@spoor/core/model/ids.ts';
import { readDuration } from '#config/duration.ts';
import type { KafkaExporterConfig, KafkaReceiverConfig } from '#config/kafka-config.ts';
import type { KafkaClientSettings } from '#kafka/kafka-client.ts';
import type { KafkaExporterSettings } from '#kafka/kafka-exporter.ts';
import type { KafkaReceiverSettings } from '#kafka/kafka-receiver.ts';
import { deliverySettings } from './delivery-settings.ts';
import { clientTlsSettings } from './tls-settings.ts';

/** As the OpenTelemetry collector has it. */
const DEFAULT_TOPIC = 'otlp_spans';

/** Bytes that may wait for the next request to the brokers without a queue: some seconds of what one core can encode. */
const WAITING_BYTES = 32 << 20;

/** Settings of an exporter to Kafka. */
export function kafkaExporterSettings(
  id: string,
  config: KafkaExporterConfig,
  tenantHeader: string | undefined,
): KafkaExporterSettings {
  const { producer } = config;
  return {
    ...clientSettings(config),
    ...deliverySettings(id, config, WAITING_BYTES),
    tenantHeader,
    topic: topicOf(config),
    encoding: encodingOf(config),
    compression: producer.compression,
    maxMessageBytes: producer.max_message_bytes,
  };
}

/** Settings of a receiver from Kafka. */
export function kafkaReceiverSettings(
  path: string,
  config: KafkaReceiverConfig,
): KafkaReceiverSettings {
  const topics = config.traces.topics ?? [topicOf(config)];
  return {
    ...clientSettings(config),
    path,
    encoding: encodingOf(config),
    topics,
    groupId: config.group_id || `spoor.${topics.toSorted().join('.')}`,
    groupInstanceId: config.group_instance_id === '' ? undefined : config.group_instance_id,
    initialOffset: config.initial_offset,
    sessionTimeoutMs: readDuration(config.session_timeout),
    heartbeatIntervalMs: readDuration(config.heartbeat_interval),
    partitionFetchBytes: config.default_fetch_size,
    fetchBytes: config.max_fetch_size,
    maxFetchWaitMs: readDuration(config.max_fetch_wait),
    commitIntervalMs: readDuration(config.autocommit.interval),
    deadLetterTopic: config.dead_letter_topic,
    tenant: config.tenant === '' ? undefined : parseTenant(config.tenant),
  };
}

type CommonConfig = KafkaExporterConfig | KafkaReceiverConfig;

function topicOf({ topic, traces }: CommonConfig): string {
  return traces.topic ?? topic ?? DEFAULT_TOPIC;
}

function encodingOf({ encoding, traces }: CommonConfig): KafkaExporterSettings['encoding'] {
  return traces.encoding ?? encoding ?? 'otlp_proto';
}

function clientSettings(config: CommonConfig): KafkaClientSettings {
  const { sasl, tls: olderTls } = config.auth;
  const tls = config.tls ?? olderTls;
  return {
    brokers: config.brokers,
    clientId: config.client_id,
    sasl,
    tls: tls && clientTlsSettings(tls),
    timeoutMs: readDuration(config.timeout),
    createsTopics: config.allow_auto_topic_creation,
  };
}
