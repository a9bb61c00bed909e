// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';
import { TENANT_NAME } from '@spoor/core/model/ids.ts';
import { durationSchema } from './duration.ts';
import { SECRET } from './secret.ts';
import { DELIVERY_KEYS } from './sending-config.ts';
import { clientTlsSchema } from './tls-config.ts';

const ENCODINGS = [
  'otlp_proto',
  'otlp_json',
  'jaeger_proto',
  'jaeger_json',
  'zipkin_json',
  'zipkin_proto',
  'zipkin_thrift',
] as const;

const TOPIC = /^[A-Za-z0-9._-]{1,249}$/;

function topic() {
  return z.string().regex(TOPIC, { error: 'must be 1 to 249 of the characters A-Z a-z 0-9 . _ -' });
}

const BROKER = /^(?:\[[0-9A-Fa-f:.]+\]|[^:[\]\s/]+)(?::\d{1,5})?$/;

const brokers = z
  .array(z.string().regex(BROKER, { error: 'must be host:port, for example 127.0.0.1:9092' }))
  .min(1)
  .default(['localhost:9092'])
  .describe('host:port of some brokers; the others are learned from them.');

const saslSchema = z
  .strictObject({
    mechanism: z
      .enum(['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'])
      .default('SCRAM-SHA-512')
      .describe('How the password is proven: PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512.'),
    username: z.string().min(1).describe('Name of the user.'),
    password: z.string().min(1).meta(SECRET).describe('Password of the user.'),
  })
  .optional()
  .describe('A user and a password; without this section nobody logs in.');

const tlsSchema = clientTlsSchema
  .unwrap()
  .optional()
  .describe('TLS to the brokers; without this section plain text is spoken.');

/** Keys of both, with the OpenTelemetry collector's names where it has them. */
const COMMON_KEYS = {
  brokers,
  client_id: z.string().min(1).default('spoor').describe('What brokers call the client.'),
  protocol_version: z
    .string()
    .default('')
    .describe('Not needed: brokers are asked which versions they speak.'),
  auth: z
    .strictObject({
      sasl: saslSchema,
      tls: tlsSchema.describe('The same as `tls` beside `auth`, where older files have it.'),
    })
    .prefault({})
    .describe('Who logs in.'),
  tls: tlsSchema,
  timeout: durationSchema('5s', 'within which a connection is made and a broker answers.'),
  allow_auto_topic_creation: z
    .boolean()
    .default(true)
    .describe(
      'Whether a topic that is missing is asked for, which makes it where brokers allow it.',
    ),
};

const encoding = z.enum(ENCODINGS).optional();

/** Keys of the section `traces`: a signal has a topic of its own. */
const TRACES_KEYS = {
  topic: topic().optional().describe('Topic of spans; without it otlp_spans.'),
  encoding: encoding.describe(
    `How spans stand in records: ${ENCODINGS.join(', ')}; without it otlp_proto.`,
  ),
};

/** The same, where older files have them. */
const OLDER_KEYS = {
  topic: topic().optional().describe('The same as traces.topic, where older files have it.'),
  encoding: encoding.describe('The same as traces.encoding, where older files have it.'),
};

/** `exporters.kafka` */
export const kafkaExporterSchema = z
  .strictObject({
    ...COMMON_KEYS,
    ...OLDER_KEYS,
    traces: z.strictObject(TRACES_KEYS).prefault({}).describe('The topic of spans.'),
    partition_traces_by_id: z
      .literal(true, { error: 'must be true: records are always keyed by the id of their trace' })
      .default(true)
      .describe('Records of a trace have its id as their key, so that they come to one partition.'),
    producer: z
      .strictObject({
        max_message_bytes: z
          .int()
          .min(10_000)
          .max(100_000_000)
          .default(1_000_000)
          .describe(
            'Bytes of the largest record and request; not more than max.message.bytes of the topic. A trace that is larger goes in several records.',
          ),
        required_acks: z
          .literal([-1, 'all'], {
            error: 'must be all (-1): a sender is answered when all replicas have its spans',
          })
          .default(-1)
          .describe('Which replicas have to have the records: all (-1).'),
        compression: z
          .enum(['none', 'gzip', 'snappy', 'lz4', 'zstd'])
          .default('none')
          .describe('Compression of records: none, gzip, snappy, lz4 or zstd.'),
      })
      .prefault({})
      .describe('How records are produced.'),
    ...DELIVERY_KEYS,
  })
  .prefault({})
  .describe('Spans to a topic of Kafka.');

/** `receivers.kafka` */
export const kafkaReceiverSchema = z
  .strictObject({
    ...COMMON_KEYS,
    ...OLDER_KEYS,
    traces: z
      .strictObject({
        topics: z
          .array(topic())
          .min(1)
          .optional()
          .describe('Topics of spans, where they are several.'),
        ...TRACES_KEYS,
      })
      .prefault({})
      .describe('The topics of spans.'),
    group_id: z
      .string()
      .default('')
      .describe(
        'Consumer group, whose members share the partitions; all must take the same topics. Empty: spoor. and the names of the topics.',
      ),
    group_instance_id: z
      .string()
      .default('')
      .describe(
        'Name that a member keeps over restarts, so that they move no partitions; empty: none.',
      ),
    initial_offset: z
      .enum(['earliest', 'latest'])
      .default('earliest')
      .describe('Where a group begins that has committed nothing yet: earliest or latest.'),
    session_timeout: durationSchema('10s', 'after which a silent member loses its partitions.'),
    heartbeat_interval: durationSchema('3s', 'between signs of life.'),
    default_fetch_size: z
      .int()
      .min(1024)
      .max(1 << 30)
      .default(1 << 20)
      .describe(
        'Bytes that a broker gives at once of one partition, if its first record is smaller.',
      ),
    max_fetch_size: z
      .int()
      .min(1024)
      .max(1 << 30)
      .default(8 << 20)
      .describe('Bytes that a broker gives at once of all partitions.'),
    max_fetch_wait: durationSchema('250ms', 'that a broker waits for records before it answers.'),
    autocommit: z
      .strictObject({
        interval: durationSchema(
          '1s',
          'between commits of offsets; only what is stored is committed.',
        ),
      })
      .prefault({})
      .describe('How offsets are committed.'),
    dead_letter_topic: z
      .union([z.literal(''), topic()], {
        error: 'must be 1 to 249 of the characters A-Z a-z 0-9 . _ -',
      })
      .default('')
      .describe('Topic for records that can never be stored; empty: they are dropped and counted.'),
    tenant: z
      .union([z.literal(''), z.string().regex(TENANT_NAME)], {
        error: 'must be 1 to 64 of the characters A-Z a-z 0-9 _ -',
      })
      .default('')
      .describe(
        'Tenant of records without the header that tenancy.header names, when tenancy is on; empty: they cannot be stored.',
      ),
  })
  .prefault({})
  .describe('Spans from topics of Kafka.');

/** `receivers.kafka`, validated. */
export type KafkaReceiverConfig = z.output<typeof kafkaReceiverSchema>;

/** `exporters.kafka`, validated. */
export type KafkaExporterConfig = z.output<typeof kafkaExporterSchema>;
