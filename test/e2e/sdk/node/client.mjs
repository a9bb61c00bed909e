// SPDX-License-Identifier: Apache-2.0
// Sends the cast of ../expected-trace.ts once for each `transport=URL` and prints the ids it used.
// usage: client.mjs START_UNIX_NANO TRANSPORT=URL…
import {
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  context,
  createTraceState,
  trace,
} from '@opentelemetry/api';
import { OTLPTraceExporter as GrpcExporter } from '@opentelemetry/exporter-trace-otlp-grpc';
import { OTLPTraceExporter as JsonExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { OTLPTraceExporter as ProtobufExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { defaultResource, resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, SamplingDecision, TracerProvider } from '@opentelemetry/sdk-trace';

const EXPORTERS = {
  grpc: GrpcExporter,
  'http/protobuf': ProtobufExporter,
  'http/json': JsonExporter,
};

const [start, ...targets] = process.argv.slice(2);
const at = (nanos) => {
  const time = BigInt(start) + BigInt(nanos);
  return [Number(time / 1_000_000_000n), Number(time % 1_000_000_000n)];
};

// What the SDK says of itself.
const { 'service.name': _, ...own } = defaultResource().attributes;
const resource = defaultResource().merge(
  resourceFromAttributes(
    {
      'service.name': 'cast-node',
      'deployment.environment.name': '测试',
      'host.cpus': 8,
      'host.load': 0.75,
      'host.spot': true,
      'host.tags': ['a', 'β'],
    },
    { schemaUrl: 'https://opentelemetry.io/schemas/1.39.0' },
  ),
);
// A sampler is how a root span gets a trace state.
const sampler = {
  shouldSample: () => ({
    decision: SamplingDecision.RECORD_AND_SAMPLED,
    traceState: createTraceState('vendor=value,other=1'),
  }),
};

for (const target of targets) {
  const [transport, url] = target.split('=');
  const [protocol, compression = 'none'] = transport.split('+');
  const exporter = new EXPORTERS[protocol]({ url, compression });
  const provider = new TracerProvider({
    resource,
    sampler,
    spanLimits: { eventCountLimit: 2, linkCountLimit: 1 },
    spanProcessors: [new BatchSpanProcessor({ exporter })],
  });
  const schemaUrl = 'https://opentelemetry.io/schemas/1.40.0';
  const tracer = provider.getTracer('spoor.cast', '1.2.3', { schemaUrl });

  const server = tracer.startSpan('GET /bücher/{id} 📚', {
    kind: SpanKind.SERVER,
    startTime: at(0),
  });
  server.setAttributes({
    'text.ascii': 'hello',
    'text.cjk': '余额不足',
    'text.emoji': '🦌🚀👩‍👩‍👧',
    'text.empty': '',
    'flag.true': true,
    'flag.false': false,
    'int.zero': 0,
    'int.negative': -42,
    'int.big': 2 ** 53,
    'int.least': -(2 ** 53),
    'double.pi': Math.PI,
    'double.tiny': 5e-324,
    'double.negative': -0.5,
    'list.text': ['x', '猫', ''],
    'list.flag': [true, false],
    'list.int': [1, -2, 2 ** 53],
    'list.double': [0.1, -2.5],
    'list.empty': [],
    'any.bytes': new Uint8Array([0, 255, 128]),
    'any.map': { a: 1, b: ['x', false, null] },
  });
  server.addEvent(
    'cache miss 未命中',
    {
      'cache.key': '书:42',
      'cache.size': 7,
      'cache.ratio': 0.25,
      'cache.stale': false,
      'cache.nodes': ['a', 'b'],
    },
    at(1_000_001),
  );
  server.addEvent('done', at(249_999_999));
  const inside = trace.setSpan(context.active(), server);

  const link = {
    context: {
      traceId: '0af7651916cd43dd8448eb211c80319c',
      spanId: 'b7ad6b7169203331',
      traceFlags: TraceFlags.SAMPLED,
      traceState: createTraceState('linked=yes'),
      isRemote: true,
    },
    attributes: { 'link.why': 'retry of 重试', 'link.attempt': 2 },
  };
  const call = { kind: SpanKind.CLIENT, startTime: at(2_000_000), links: [link] };
  const client = tracer.startSpan('SELECT orders', call, inside);
  client.setStatus({ code: SpanStatusCode.ERROR, message: 'timeout 超时 after 87 ms' });
  client.end(at(90_000_003));

  const minor = provider.getTracer('spoor.cast.minor');
  const work = { kind: SpanKind.INTERNAL, startTime: at(100_000_000), links: [link, link] };
  const internal = minor.startSpan('render', work, inside);
  for (let i = 0; i < 3; i++) internal.addEvent('tick', at(150_000_000));
  internal.setStatus({ code: SpanStatusCode.OK });
  internal.end(at(200_000_000));

  server.end(at(250_000_001));
  await provider.shutdown();
  const { traceId } = server.spanContext();
  const spanIds = [server, client, internal].map((span) => span.spanContext().spanId);
  console.log(JSON.stringify({ transport, traceId, spanIds, own }));
}
