// SPDX-License-Identifier: Apache-2.0
// Sends one small trace with each of the retired clients named on the command line, and prints its id.
// usage: client.mjs NAME=URL…
import { createRequire } from 'node:module';
import { SpanKind, SpanStatusCode, context, trace } from '@opentelemetry/api';
import { JaegerExporter } from '@opentelemetry/exporter-jaeger';
import { ZipkinExporter } from '@opentelemetry/exporter-zipkin';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';

const require = createRequire(import.meta.url);
const { initTracer, opentracing } = require('jaeger-client');
const {
  Annotation,
  BatchRecorder,
  ExplicitContext,
  InetAddress,
  Tracer,
  jsonEncoder,
} = require('zipkin');
const { HttpLogger } = require('zipkin-transport-http');

const clients = {
  'jaeger-client udp': (url) => jaegerClient({ agentHost: url.hostname, agentPort: +url.port }),
  'jaeger-client http': (url) => jaegerClient({ collectorEndpoint: url.href }),
  'opentelemetry jaeger udp': (url) =>
    opentelemetry(new JaegerExporter({ host: url.hostname, port: +url.port })),
  'opentelemetry jaeger http': (url) => opentelemetry(new JaegerExporter({ endpoint: url.href })),
  'opentelemetry zipkin': (url) => opentelemetry(new ZipkinExporter({ url: url.href })),
  'zipkin v2 json': (url) => zipkin(url, jsonEncoder.JSON_V2),
  'zipkin v1 json': (url) => zipkin(url, jsonEncoder.JSON_V1),
};

/** Uber's client: opentracing, Thrift. */
async function jaegerClient(reporter) {
  const config = { serviceName: 'old-shop', sampler: { type: 'const', param: 1 }, reporter };
  const tracer = initTracer(config, { tags: { colour: 'blue' } });
  const root = tracer.startSpan('get /bücher 📚', { tags: { 'span.kind': 'server' } });
  root.addTags({ text: '未命中', int: 42, double: 0.25, yes: true, 'sampling.priority': 1 });
  root.log({ event: 'cache miss', tries: 3 });
  const child = tracer.startSpan('select', { childOf: root, tags: { 'span.kind': 'client' } });
  child.setTag('error', true);
  child.finish();
  const follower = tracer.startSpan('later', {
    references: [opentracing.followsFrom(child.context())],
  });
  follower.finish();
  root.finish();
  await new Promise((resolve) => tracer.close(resolve));
  return root.context().toTraceId();
}

/** OpenTelemetry's SDK with an exporter to one of the older formats. */
async function opentelemetry(exporter) {
  const provider = new TracerProvider({
    resource: resourceFromAttributes({ 'service.name': 'otel-shop', 'host.name': 'h1' }),
    spanProcessors: [new BatchSpanProcessor({ exporter })],
  });
  const tracer = provider.getTracer('spoor.old', '1.2.3');
  const linked = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331' };
  const root = tracer.startSpan('get /bücher 📚', {
    kind: SpanKind.SERVER,
    links: [{ context: { ...linked, traceFlags: 1 } }],
  });
  root.setAttributes({ text: '未命中', int: 42, double: 0.25, yes: true });
  root.addEvent('cache miss', { tries: 3 });
  const parent = trace.setSpan(context.active(), root);
  const child = tracer.startSpan('select', { kind: SpanKind.CLIENT }, parent);
  child.setStatus({ code: SpanStatusCode.ERROR, message: 'timeout 超时' });
  child.end();
  root.end();
  await provider.forceFlush();
  await provider.shutdown();
  return root.spanContext().traceId;
}

/** Zipkin's own client. */
async function zipkin(url, encoder) {
  const logger = new HttpLogger({ endpoint: url.href, jsonEncoder: encoder, httpInterval: 50 });
  const recorder = new BatchRecorder({ logger });
  const tracer = new Tracer({
    ctxImpl: new ExplicitContext(),
    recorder,
    localServiceName: 'old-shop',
    traceId128Bit: true,
  });
  const id = tracer.createRootId();
  tracer.scoped(() => {
    tracer.setId(id);
    tracer.recordServiceName('old-shop');
    tracer.recordRpc('get');
    tracer.recordBinary('http.path', '/bücher');
    tracer.recordAnnotation(new Annotation.ServerRecv());
    tracer.recordAnnotation(
      new Annotation.LocalAddr({ host: new InetAddress('10.0.0.1'), port: 80 }),
    );
    tracer.recordMessage('cache miss');
    tracer.recordAnnotation(new Annotation.ServerSend());
  });
  await new Promise((resolve, reject) => {
    logger.on('success', resolve);
    logger.on('error', reject);
  });
  return id.traceId;
}

// Zipkin's client does not keep the process alive until it has sent.
setInterval(() => undefined, 1000);
for (const target of process.argv.slice(2)) {
  const at = target.lastIndexOf('=');
  const name = target.slice(0, at);
  const traceId = await clients[name](new URL(target.slice(at + 1)));
  console.log(JSON.stringify({ client: name, traceId }));
}
process.exit(0);
