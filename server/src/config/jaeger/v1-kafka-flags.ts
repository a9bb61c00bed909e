// SPDX-License-Identifier: Apache-2.0
import { clientTls, group, ignored, sets, type Flags, type Meaning } from './v1-flag.ts';
import { NO_QUEUE } from './reasons.ts';
import { asList, asNumber } from './v1-values.ts';

/** Encodings of Jaeger 1. */
const KAFKA_ENCODINGS: Readonly<Record<string, string>> = {
  protobuf: 'jaeger_proto',
  json: 'jaeger_json',
  'zipkin-thrift': 'zipkin_thrift',
};

/** A component that talks to Kafka: topic and encoding are Jaeger's as soon as one of its flags says where that is. */
function kafka(path: string, defaults: readonly Meaning[]): Flags {
  const at = path.split('.');
  return {
    brokers: {
      read: (value) => [
        { path: [...at, 'brokers'], value: asList(value) },
        { path: [...at, 'traces', 'topic'], value: 'jaeger-spans' },
        { path: [...at, 'traces', 'encoding'], value: 'jaeger_proto' },
        ...defaults,
      ],
    },
    topic: sets(`${path}.traces.topic`),
    encoding: sets(`${path}.traces.encoding`, (text) => KAFKA_ENCODINGS[text] ?? text),
    'client-id': sets(`${path}.client_id`),
    'protocol-version': sets(`${path}.protocol_version`),
    authentication: {
      read: (value) => {
        if (value === 'kerberos') throw new RangeError('Spoor logs in with SASL or a certificate');
        return value === 'tls' ? [{ path: [...at, 'tls', 'insecure'], value: false }] : [];
      },
    },
    ...group('plaintext', {
      username: sets(`${path}.auth.sasl.username`),
      password: sets(`${path}.auth.sasl.password`),
      mechanism: sets(`${path}.auth.sasl.mechanism`),
    }),
    ...clientTls(path),
  };
}

/** Flags of Jaeger's collector and ingester about Kafka. */
export const KAFKA: Flags = {
  ...group('kafka.producer', {
    ...kafka('exporters.kafka', []),
    compression: sets('exporters.kafka.producer.compression'),
    'compression-level': ignored('each compression has its usual level'),
    'max-message-bytes': sets('exporters.kafka.producer.max_message_bytes', asNumber),
    'required-acks': ignored('a sender is answered when all replicas in sync have its spans'),
    'batch-linger': ignored('what comes while records are under way goes with the next'),
    'batch-size': ignored('what comes while records are under way goes with the next'),
    'batch-min-messages': ignored('what comes while records are under way goes with the next'),
    'batch-max-messages': ignored('what comes while records are under way goes with the next'),
  }),
  ...group('kafka.consumer', {
    ...kafka('receivers.kafka', [
      { path: ['receivers', 'kafka', 'group_id'], value: 'jaeger-ingester' },
    ]),
    'group-id': sets('receivers.kafka.group_id'),
    'fetch-max-message-bytes': sets('receivers.kafka.default_fetch_size', asNumber),
    'rack-id': ignored('records are read from the leader of a partition'),
  }),
  'ingester.parallelism': ignored(NO_QUEUE),
  'ingester.deadlockInterval': ignored('a partition that stands still is not given up'),
};
