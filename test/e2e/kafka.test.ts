// SPDX-License-Identifier: Apache-2.0
// Spans over a real Kafka, whose broker and consumers are killed under load.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { DEFAULT_TENANT } from '../../core/src/model/ids.ts';
import {
  attributes,
  event,
  resource,
  span,
  spanId,
  traceId,
} from '../../core/src/query/testing/example-span.ts';
import { batchOf } from '../../core/src/query/testing/span-body.ts';
import { RECORD_FORMATS, type KafkaEncoding } from '../../server/src/kafka/kafka-encoding.ts';
import type { SendingExporter } from '../../server/src/exporters/sending/sending-exporter.ts';
import { createKafkaExporter } from '../../server/src/kafka/kafka-exporter.ts';
import { produceText, readTexts } from '../../server/src/kafka/testing/raw-records.ts';
import {
  NO_OPENSSL,
  TestCertificates,
} from '../../server/src/net/tls/testing/test-certificates.ts';
import { KafkaServer, NO_KAFKA } from './kafka-server.ts';
import { SpoorProcess } from './spoor-process.ts';
import { until } from './until.ts';

const skip = NO_KAFKA || NO_OPENSSL;
const OPTIONS = { skip };
const LOG = { info: () => undefined, warn: () => undefined, error: () => undefined };

let kafka: KafkaServer;
let caFile = '';
const certificates = skip === false ? new TestCertificates() : undefined;

before(async () => {
  if (certificates === undefined) return;
  const ca = certificates.ca('ca');
  const { certFile, keyFile } = certificates.make('localhost', { ca });
  caFile = ca.certFile;
  const certificateFile = certificates.path('kafka.pem');
  writeFileSync(certificateFile, readFileSync(keyFile, 'utf8') + readFileSync(certFile, 'utf8'));
  kafka = await KafkaServer.start({ certificateFile, caFile });
});
after(async () => {
  await kafka?.[Symbol.asyncDispose]();
  certificates?.[Symbol.dispose]();
});

/** An ingester with a store: a pipeline from topics into it. */
function ingesterSets(topic: string, more: readonly string[] = []): string[] {
  return [
    'service.pipelines.traces.receivers=[kafka]',
    `receivers.kafka.brokers=[${kafka.broker}]`,
    `receivers.kafka.traces.topic=${topic}`,
    `receivers.kafka.group_id=${topic}`,
    'receivers.kafka.session_timeout=6s',
    'receivers.kafka.heartbeat_interval=500ms',
    ...more,
  ];
}

/** A collector that writes to a topic. */
function collectorSets(topic: string): string[] {
  return [
    'service.pipelines.traces.exporters=[kafka]',
    `exporters.kafka.brokers=[${kafka.broker}]`,
    `exporters.kafka.traces.topic=${topic}`,
    'exporters.kafka.producer.compression=lz4',
    'exporters.kafka.circuit_breaker.max_open_interval=1s',
    'query.http.enabled=false',
  ];
}

/** An exporter in this process. */
async function exporterTo(
  topic: string,
  encoding: KafkaEncoding = 'otlp_proto',
): Promise<SendingExporter & AsyncDisposable> {
  const exporter = createKafkaExporter(
    {
      path: 'exporters.kafka',
      brokers: [kafka.broker],
      clientId: 'test',
      sasl: undefined,
      tls: undefined,
      timeoutMs: 5000,
      createsTopics: true,
      topic,
      encoding,
      compression: 'none',
      maxMessageBytes: 1_000_000,
      tenantHeader: undefined,
      breaker: { failureThreshold: 5, openMs: 1000, maxOpenMs: 30_000 },
      retry: undefined,
      queue: { storage: 'none', capacityBytes: 1 << 20, maxUnderWay: 10, directory: '' },
    },
    LOG,
  );
  await exporter.start();
  return Object.assign(exporter, { [Symbol.asyncDispose]: () => exporter.shutdown(1000) });
}

interface JaegerSpan {
  readonly traceID: string;
  readonly spanID: string;
  readonly operationName: string;
  readonly tags: readonly { readonly key: string; readonly value: unknown }[];
}

/** All spans of a service. */
async function spansOf(server: SpoorProcess, service: string): Promise<JaegerSpan[]> {
  const answer = await server.query(`/api/traces?service=${service}&limit=10000&lookback=2d`);
  // The routes answer with this shape.
  const { data } = (await answer.json()) as { data: { spans: JaegerSpan[] }[] };
  return data.flatMap(({ spans }) => spans);
}

/** Requests of traces of three spans, and what has become of them. */
class Load {
  readonly acknowledged: string[] = [];
  readonly #service: string;

  constructor(service: string) {
    this.#service = service;
  }

  /** Sends traces one after the other in several rows; what is refused is sent again until it is taken. */
  async send(server: SpoorProcess, traces: number, onTaken?: (count: number) => void) {
    let left = traces;
    const row = async (): Promise<void> => {
      while (left-- > 0) {
        const body = this.#request();
        for (;;) {
          const answer = await server.send(body);
          await answer.text();
          if (answer.status === 200) break;
          assert.equal(answer.status, 503);
          await pause(20);
        }
        this.acknowledged.push(/[0-9a-f]{32}/.exec(body)![0]);
        onTaken?.(this.acknowledged.length);
      }
    };
    await Promise.all(Array.from({ length: 16 }, row));
  }

  #request(): string {
    const id = randomBytes(16).toString('hex');
    const nanos = BigInt(Date.now()) * 1_000_000n;
    const spans = ['a', 'b', 'c'].map((name) => ({
      traceId: id,
      spanId: randomBytes(8).toString('hex'),
      name,
      startTimeUnixNano: String(nanos),
      endTimeUnixNano: String(nanos + 1000n),
    }));
    const own = { attributes: [{ key: 'service.name', value: { stringValue: this.#service } }] };
    return JSON.stringify({ resourceSpans: [{ resource: own, scopeSpans: [{ spans }] }] });
  }

  /** Resolves once every acknowledged span is found, and checks that none is found twice. */
  async isFound(...servers: SpoorProcess[]): Promise<JaegerSpan[][]> {
    const expected = this.acknowledged.length * 3;
    let found: JaegerSpan[][] = [];
    await until(`${expected} spans`, async () => {
      found = await Promise.all(servers.map((server) => spansOf(server, this.#service)));
      return new Set(found.flat().map(({ spanID }) => spanID)).size >= expected;
    });
    for (const spans of found) {
      assert.equal(new Set(spans.map(({ spanID }) => spanID)).size, spans.length);
    }
    const traces = new Set(found.flat().map(({ traceID }) => traceID.padStart(32, '0')));
    for (const id of this.acknowledged) assert.ok(traces.has(id), id);
    return found;
  }
}

test('a trace looks the same whichever encoding it had on its way', OPTIONS, async () => {
  // These are the keys of a constant table.
  const encodings = Object.keys(RECORD_FORMATS) as KafkaEncoding[];
  const receivers = encodings.flatMap((encoding) => [
    `receivers.kafka/${encoding}.brokers=[${kafka.broker}]`,
    `receivers.kafka/${encoding}.traces.topic=enc-${encoding}`,
    `receivers.kafka/${encoding}.traces.encoding=${encoding}`,
  ]);
  const ids = encodings.map((encoding) => `kafka/${encoding}`);
  await using server = await SpoorProcess.start({
    sets: [`service.pipelines.traces.receivers=[${ids.join(', ')}]`, ...receivers],
  });
  const startTimeUnixNano = BigInt(Date.now()) * 1_000_000n;
  for (const [i, encoding] of encodings.entries()) {
    await using exporter = await exporterTo(`enc-${encoding}`, encoding);
    const own = { resource: resource(encoding, { 'host.name': 'h1' }), startTimeUnixNano };
    const root = span({
      ...own,
      traceId: traceId(`abcdef0123456789abcdef012345678${i}`),
      endTimeUnixNano: startTimeUnixNano + 5_000_000n,
      attributes: attributes({ 'http.method': 'GET' }),
      events: [event('retry', {}, startTimeUnixNano + 1_000_000n)],
      status: { code: 2, message: 'timeout' },
    });
    const child = span({
      ...own,
      traceId: root.traceId,
      spanId: spanId(2),
      parentSpanId: root.spanId,
      endTimeUnixNano: startTimeUnixNano + 2_000_000n,
      kind: 3,
    });
    await exporter.write(DEFAULT_TENANT, batchOf([root, child]));
  }
  const views = new Map<string, unknown>();
  for (const encoding of encodings) {
    let spans: JaegerSpan[] = [];
    await until(encoding, async () => (spans = await spansOf(server, encoding)).length >= 2);
    const own = spans
      .map((one) => ({
        ...one,
        processID: '',
        tags: one.tags.map(({ key, value }) => `${key}=${String(value)}`).toSorted(),
      }))
      .toSorted((a, b) => (a.spanID < b.spanID ? -1 : 1));
    views.set(encoding, JSON.parse(JSON.stringify(own).replaceAll(own[0]!.traceID, '')));
  }
  for (const view of views.values()) assert.deepEqual(view, views.get('otlp_proto'));
});

test(
  'every acknowledged span is found once when the consumer is killed again and again',
  OPTIONS,
  async () => {
    const topic = 'killed-consumer';
    await using collector = await SpoorProcess.start({ sets: collectorSets(topic) });
    let ingester = await SpoorProcess.start({ sets: ingesterSets(topic) });
    const { directory } = ingester;
    try {
      const load = new Load(topic);
      let kills = 0;
      let killing = Promise.resolve();
      const killAndRestart = async (): Promise<void> => {
        ingester.kill('SIGKILL');
        await ingester.end;
        ingester = await SpoorProcess.start({ directory, sets: ingesterSets(topic) });
        kills++;
      };
      await load.send(collector, 1500, (count) => {
        if (count % 400 === 0) killing = killing.then(killAndRestart);
      });
      await killing;
      assert.equal(kills, 3);
      await load.isFound(ingester);
    } finally {
      await ingester[Symbol.asyncDispose]();
    }
  },
);

test('nothing is lost when the broker is killed and comes back under load', OPTIONS, async () => {
  const topic = 'killed-broker';
  await using collector = await SpoorProcess.start({ sets: collectorSets(topic) });
  await using ingester = await SpoorProcess.start({ sets: ingesterSets(topic) });
  const load = new Load(topic);
  let killing: Promise<void> | undefined;
  await load.send(collector, 1500, (count) => {
    if (count < 300 || killing !== undefined) return;
    killing = kafka.kill().then(() => kafka.restart());
  });
  await killing;
  await load.isFound(ingester);
});

test(
  'with a queue on disk a collector that is killed while Kafka is away sends everything on when both are back',
  OPTIONS,
  async () => {
    const topic = 'queued';
    const directory = mkdtempSync(join(tmpdir(), 'spoor-e2e-'));
    const start = (): Promise<SpoorProcess> =>
      SpoorProcess.start({
        directory,
        sets: [
          ...collectorSets(topic),
          'exporters.kafka.sending_queue.enabled=true',
          'exporters.kafka.sending_queue.storage=disk',
          `exporters.kafka.sending_queue.directory=${join(directory, 'queue')}`,
        ],
      });
    const load = new Load(topic);
    try {
      await kafka.kill();
      const first = await start();
      await load.send(first, 200);
      first.kill('SIGKILL');
      await first.end;
      await kafka.restart();
      await using second = await start();
      await using ingester = await SpoorProcess.start({ sets: ingesterSets(topic) });
      await load.send(second, 50);
      await load.isFound(ingester);
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  },
);

test(
  'partitions change hands without a loss, and a member that leaves leaves nothing to do twice',
  OPTIONS,
  async () => {
    const topic = 'handed-over';
    await using collector = await SpoorProcess.start({ sets: collectorSets(topic) });
    await using first = await SpoorProcess.start({ sets: ingesterSets(topic) });
    const load = new Load(topic);
    await load.send(collector, 300);
    await using second = await SpoorProcess.start({ sets: ingesterSets(topic) });
    await load.send(collector, 600);
    await until('a share for each', async () => (await spansOf(second, topic)).length > 0);
    const [ofFirst, ofSecond] = await load.isFound(first, second);
    const both = new Set(ofFirst!.map(({ spanID }) => spanID));
    assert.deepEqual(
      ofSecond!.filter(({ spanID }) => both.has(spanID)),
      [],
    );
    assert.equal((await second.stop()).code, 0);
    const before = (await spansOf(first, topic)).length;
    const { length } = load.acknowledged;
    await load.send(collector, 300);
    await until('the rest', async () => {
      return (
        (await spansOf(first, topic)).length >= before + 3 * (load.acknowledged.length - length)
      );
    });
    assert.equal((await spansOf(first, topic)).length, before + 900);
  },
);

test(
  'a record that is no span is set aside with its place and the reason, and does not stop the others',
  OPTIONS,
  async () => {
    const topic = 'poisoned';
    await using exporter = await exporterTo(topic);
    const startTimeUnixNano = BigInt(Date.now()) * 1_000_000n;
    const write = (id: number): Promise<void> =>
      exporter.write(
        DEFAULT_TENANT,
        batchOf([span({ traceId: traceId(id), resource: resource(topic), startTimeUnixNano })]),
      );
    await write(1);
    await produceText(kafka.broker, topic, [0, 1, 2, 3], { key: 'k', value: 'no span' });
    await write(2);
    await using ingester = await SpoorProcess.start({
      sets: ingesterSets(topic, ['receivers.kafka.dead_letter_topic=dead-letters']),
    });
    await until('the spans', async () => (await spansOf(ingester, topic)).length === 2);

    const letters = await readTexts(kafka.broker, 'dead-letters', 4);
    for (const { key, value, headers } of letters) {
      assert.deepEqual([key, value, headers.get('spoor.topic')], ['k', 'no span', topic]);
      assert.equal(headers.get('spoor.reason'), 'malformed');
      assert.match(headers.get('spoor.message') ?? '', /^otlp/);
      assert.match(headers.get('spoor.offset') ?? '', /^\d+$/);
    }
    const partitions = letters.map(({ headers }) => Number(headers.get('spoor.partition')));
    assert.deepEqual(
      partitions.toSorted((a, b) => a - b),
      [0, 1, 2, 3],
    );
    const metrics = await (await fetch(`${ingester.healthUrl}/metrics`)).text();
    assert.match(metrics, /^spoor_kafka_receiver_dead_letters_total\{.*\} 4$/m);
  },
);

for (const mechanism of ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'] as const) {
  test(`both sides log in over TLS with ${mechanism}`, OPTIONS, async () => {
    const topic = `secure-${mechanism}`;
    const secure = (kind: string): string[] => [
      `${kind}.kafka.brokers=[${kafka.secureBroker}]`,
      `${kind}.kafka.auth.sasl.mechanism=${mechanism}`,
      `${kind}.kafka.auth.sasl.username=alice`,
      `${kind}.kafka.auth.sasl.password=secret`,
      `${kind}.kafka.tls.ca_file=${caFile}`,
    ];
    await using ingester = await SpoorProcess.start({
      sets: [...ingesterSets(topic), ...secure('receivers')],
    });
    await using collector = await SpoorProcess.start({
      sets: [...collectorSets(topic), ...secure('exporters')],
    });
    const load = new Load(topic);
    await load.send(collector, 10);
    await load.isFound(ingester);
  });
}
