// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { Metadata, Server, ServerCredentials, status, type ServiceError } from '@grpc/grpc-js';
import { encodeBytes, encodeInt, encodeRpcStatus } from '#net/rpc-status.ts';
import { createCorpus, type CorpusRequest } from './corpus.ts';
import { countSpans } from './corpus-file.ts';
import { GrpcTransport } from './grpc-transport.ts';
import { HttpTransport } from './http-transport.ts';
import { LoadSender, type LoadOptions } from './load-sender.ts';
import type { LoadTransport, LoadTransportOptions } from './load-transport.ts';
import { Random } from './random.ts';

const NOW = 1_795_000_000_000_000_000n;

function corpus(spans: number): CorpusRequest[] {
  return [...createCorpus({ profile: 'shop', spans, seed: 5, nowUnixNano: NOW, requestSpans: 50 })];
}

/** What a receiver answers to a body; the number counts how often this body came. */
type Answer = (
  body: Buffer,
  times: number,
  tenant: string,
) => 'ok' | 'refuse' | 'reject' | 'bad' | 'drop';

interface Sink {
  readonly endpoint: string;
  readonly received: Map<string, number>;
}

const PARTIAL = encodeBytes(1, encodeInt(1, 2));

function count(received: Map<string, number>, body: Buffer): number {
  const key = body.toString('base64');
  const times = (received.get(key) ?? 0) + 1;
  received.set(key, times);
  return times;
}

async function httpSink(t: TestContext, answer: Answer): Promise<Sink> {
  const received = new Map<string, number>();
  const respond = (request: IncomingMessage, response: ServerResponse, raw: Buffer): void => {
    const body = request.headers['content-encoding'] === 'gzip' ? gunzipSync(raw) : raw;
    const tenant = String(request.headers['x-tenant'] ?? '');
    switch (answer(body, count(received, body), tenant)) {
      case 'ok':
        response.writeHead(200).end();
        break;
      case 'reject':
        response.writeHead(200).end(PARTIAL);
        break;
      case 'refuse':
        response.writeHead(503, { 'retry-after': '0' }).end();
        break;
      case 'bad':
        response.writeHead(400).end();
        break;
      default:
        request.socket.destroy();
    }
  };
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => respond(request, response, Buffer.concat(chunks)));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  // A listening TCP server has an address of this shape.
  return { endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, received };
}

async function grpcSink(t: TestContext, answer: Answer): Promise<Sink> {
  const received = new Map<string, number>();
  const server = new Server();
  const raw = (bytes: Buffer): Buffer => bytes;
  const definition = {
    Export: {
      path: '/opentelemetry.proto.collector.trace.v1.TraceService/Export',
      requestStream: false,
      responseStream: false,
      requestSerialize: raw,
      requestDeserialize: raw,
      responseSerialize: raw,
      responseDeserialize: raw,
    },
  };
  const refusal = (code: number, retryDelayMs: number | undefined): Partial<ServiceError> => {
    const metadata = new Metadata();
    metadata.set(
      'grpc-status-details-bin',
      encodeRpcStatus({ code, message: 'full', retryDelayMs }),
    );
    return { code, metadata };
  };
  server.addService(definition, {
    Export: (
      call: { request: Buffer; metadata: Metadata },
      done: (error: Partial<ServiceError> | null, value?: Buffer) => void,
    ) => {
      const tenant = String(call.metadata.get('x-tenant')[0] ?? '');
      switch (answer(call.request, count(received, call.request), tenant)) {
        case 'ok':
          done(null, Buffer.alloc(0));
          break;
        case 'reject':
          done(null, PARTIAL);
          break;
        case 'refuse':
          done(refusal(status.RESOURCE_EXHAUSTED, 1));
          break;
        case 'bad':
          done(refusal(status.RESOURCE_EXHAUSTED, undefined));
          break;
        default:
          done(refusal(status.UNAVAILABLE, undefined));
      }
    },
  });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) => {
      if (error === null) resolve(bound);
      else reject(error);
    });
  });
  t.after(() => server.forceShutdown());
  return { endpoint: `127.0.0.1:${port}`, received };
}

const SINKS = {
  http: {
    open: httpSink,
    transport: (o: LoadTransportOptions): LoadTransport => new HttpTransport(o),
  },
  grpc: {
    open: grpcSink,
    transport: (o: LoadTransportOptions): LoadTransport => new GrpcTransport(o),
  },
} as const;

function sender(
  t: TestContext,
  protocol: keyof typeof SINKS,
  endpoint: string,
  options: Partial<LoadOptions> & { gzip?: boolean } = {},
): LoadSender {
  const transport = SINKS[protocol].transport({
    endpoint,
    workers: 4,
    gzip: options.gzip ?? false,
    timeoutMs: 10_000,
    headers: {},
    tenantHeader: 'x-tenant',
  });
  t.after(() => transport.close());
  return new LoadSender({
    transport,
    workers: 4,
    retryForMs: 20_000,
    random: new Random(1),
    ...options,
  });
}

for (const protocol of ['http', 'grpc'] as const) {
  const { open } = SINKS[protocol];

  test(`${protocol}: every request arrives once, byte for byte`, async (t) => {
    const requests = corpus(1000);
    const sink = await open(t, () => 'ok');
    const acked = new Set<number>();
    const run = sender(t, protocol, sink.endpoint, { onAcked: (_, index) => acked.add(index) });
    const result = await run.run(requests);
    assert.equal(result.ackedSpans, 1000);
    assert.equal(result.sentRequests, requests.length);
    assert.equal(acked.size, requests.length);
    assert.equal(result.latency.count, requests.length);
    assert.deepEqual(
      [...sink.received.keys()].toSorted(),
      requests.map(({ body }) => Buffer.from(body).toString('base64')).toSorted(),
    );
    assert.ok([...sink.received.values()].every((times) => times === 1));
  });

  test(`${protocol}: compressed requests arrive whole`, async (t) => {
    let spans = 0;
    const sink = await open(t, (body) => {
      spans += countSpans(body);
      return 'ok';
    });
    const result = await sender(t, protocol, sink.endpoint, { gzip: true }).run(corpus(500));
    assert.equal(result.ackedSpans, 500);
    assert.equal(spans, 500);
  });

  test(`${protocol}: what is refused for now is sent again until it is taken`, async (t) => {
    const requests = corpus(400);
    const sink = await open(t, (_, times) => (times === 1 ? 'refuse' : 'ok'));
    const result = await sender(t, protocol, sink.endpoint).run(requests);
    assert.equal(result.ackedSpans, 400);
    assert.equal(result.refusedRequests, requests.length);
    assert.equal(result.retries, requests.length);
    assert.equal(result.lostSpans, 0);
    assert.ok([...sink.received.values()].every((times) => times === 2));
  });

  test(`${protocol}: a broken connection or no answer is tried again`, async (t) => {
    const sink = await open(t, (_, times) => (times < 2 ? 'drop' : 'ok'));
    const result = await sender(t, protocol, sink.endpoint).run(corpus(200));
    assert.equal(result.ackedSpans, 200);
    assert.ok(result.refusedRequests >= 4);
  });

  test(`${protocol}: a final refusal is lost at once, a partial one is counted`, async (t) => {
    const requests = corpus(150);
    const [first] = requests;
    const sink = await open(t, (body) => (body.equals(first!.body) ? 'bad' : 'reject'));
    const result = await sender(t, protocol, sink.endpoint).run(requests);
    assert.equal(result.lostRequests, 1);
    assert.equal(result.lostSpans, first!.spans);
    assert.equal(result.retries, 0);
    assert.equal(result.rejectedSpans, 2 * (requests.length - 1));
    assert.equal(result.ackedSpans, 150 - first!.spans - result.rejectedSpans);
  });

  test(`${protocol}: after too long a time the request is given up`, async (t) => {
    const sink = await open(t, () => 'refuse');
    const result = await sender(t, protocol, sink.endpoint, { retryForMs: 300 }).run(corpus(60));
    assert.equal(result.lostSpans, 60);
    assert.equal(result.ackedSpans, 0);
    assert.ok(result.reasons.size > 0);
  });

  test(`${protocol}: the tenant goes in its header`, async (t) => {
    const tenants = new Set<string>();
    const sink = await open(t, (_, __, tenant) => {
      tenants.add(tenant);
      return 'ok';
    });
    const requests = createCorpus({ profile: 'hostile', spans: 600, seed: 1, nowUnixNano: NOW });
    const result = await sender(t, protocol, sink.endpoint).run(requests);
    assert.equal(result.lostSpans, 0);
    assert.ok(tenants.has('acme') && tenants.has('globex'));
  });
}

test('a signal ends the run: what waits for another try counts as lost', async (t) => {
  const stop = new AbortController();
  const sink = await httpSink(t, () => {
    stop.abort();
    return 'refuse';
  });
  const result = await sender(t, 'http', sink.endpoint, { signal: stop.signal, workers: 1 }).run(
    corpus(500),
  );
  assert.equal(result.sentRequests, 1);
  assert.equal(result.lostRequests, 1);
});

test('a rate spaces the requests out', async (t) => {
  const sink = await httpSink(t, () => 'ok');
  // 200 spans at 1,000 a second: the last of 4 requests begins after 150 ms.
  const result = await sender(t, 'http', sink.endpoint, { rate: 1000 }).run(corpus(200));
  assert.equal(result.ackedSpans, 200);
  assert.ok(result.elapsedMs >= 100, `${result.elapsedMs} ms`);
});
