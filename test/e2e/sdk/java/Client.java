// SPDX-License-Identifier: Apache-2.0
import static io.opentelemetry.api.common.AttributeKey.*;

import io.opentelemetry.api.common.*;
import io.opentelemetry.api.trace.*;
import io.opentelemetry.context.Context;
import io.opentelemetry.exporter.otlp.http.trace.OtlpHttpSpanExporter;
import io.opentelemetry.exporter.otlp.trace.OtlpGrpcSpanExporter;
import io.opentelemetry.sdk.resources.Resource;
import io.opentelemetry.sdk.trace.*;
import io.opentelemetry.sdk.trace.data.LinkData;
import io.opentelemetry.sdk.trace.export.*;
import io.opentelemetry.sdk.trace.samplers.*;
import java.io.IOException;
import java.nio.file.*;
import java.util.*;
import java.util.concurrent.TimeUnit;

/**
 * Sends the cast of ../expected-trace.ts once for each `transport=URL` and prints the ids it used.
 * usage: Client START_UNIX_NANO TRANSPORT=URL...
 */
final class Client {
  /** A sampler is how a root span gets a trace state. */
  static final class WithTraceState implements Sampler {
    public SamplingResult shouldSample(Context parent, String traceId, String name, SpanKind kind, Attributes attributes, List<LinkData> links) {
      return new SamplingResult() {
        public SamplingDecision getDecision() { return SamplingDecision.RECORD_AND_SAMPLE; }
        public Attributes getAttributes() { return Attributes.empty(); }
        public TraceState getUpdatedTraceState(TraceState of) {
          return TraceState.builder().put("other", "1").put("vendor", "value").build();
        }
      };
    }
    public String getDescription() { return "WithTraceState"; }
  }

  /** With the settings for TLS of OpenTelemetry's environment, which a program that makes its exporters itself has to read. */
  static SpanExporter exporter(String transport, String url) throws IOException {
    String packed = transport.endsWith("+gzip") ? "gzip" : "none";
    Map<String, String> env = System.getenv();
    boolean isSecure = env.containsKey("OTEL_EXPORTER_OTLP_CERTIFICATE");
    String[] header = env.getOrDefault("OTEL_EXPORTER_OTLP_HEADERS", "x-none=").replace("%20", " ").split("=", 2);
    if (transport.startsWith("grpc")) {
      var grpc = OtlpGrpcSpanExporter.builder().setEndpoint(url).setCompression(packed).addHeader(header[0], header[1]);
      if (isSecure) {
        grpc.setTrustedCertificates(file("CERTIFICATE")).setClientTls(file("CLIENT_KEY"), file("CLIENT_CERTIFICATE"));
      }
      return grpc.build();
    }
    var http = OtlpHttpSpanExporter.builder().setEndpoint(url).setCompression(packed).addHeader(header[0], header[1]);
    if (isSecure) {
      http.setTrustedCertificates(file("CERTIFICATE")).setClientTls(file("CLIENT_KEY"), file("CLIENT_CERTIFICATE"));
    }
    return http.build();
  }

  static byte[] file(String variable) throws IOException {
    return Files.readAllBytes(Path.of(System.getenv("OTEL_EXPORTER_OTLP_" + variable)));
  }

  static void send(long start, String transport, String url) throws IOException {
    TimeUnit ns = TimeUnit.NANOSECONDS;
    Attributes about = Attributes.builder().put("service.name", "cast-java").put("deployment.environment.name", "测试")
        .put("host.cpus", 8).put("host.load", 0.75).put("host.spot", true).put("host.tags", "a", "β").build();
    Resource resource = Resource.getDefault().merge(Resource.create(about, "https://opentelemetry.io/schemas/1.39.0"));
    SdkTracerProvider provider = SdkTracerProvider.builder()
        .setResource(resource)
        .setSampler(new WithTraceState())
        .setSpanLimits(SpanLimits.builder().setMaxNumberOfEvents(2).setMaxNumberOfLinks(1).build())
        .addSpanProcessor(BatchSpanProcessor.builder(exporter(transport, url)).build())
        .build();
    Tracer tracer = provider.tracerBuilder("spoor.cast").setInstrumentationVersion("1.2.3")
        .setSchemaUrl("https://opentelemetry.io/schemas/1.40.0").build();

    Span server = tracer.spanBuilder("GET /bücher/{id} 📚").setSpanKind(SpanKind.SERVER).setStartTimestamp(start, ns).startSpan();
    server.setAllAttributes(Attributes.builder()
        .put("text.ascii", "hello").put("text.cjk", "余额不足").put("text.emoji", "🦌🚀👩‍👩‍👧").put("text.empty", "")
        .put("flag.true", true).put("flag.false", false)
        .put("int.zero", 0L).put("int.negative", -42L).put("int.big", (1L << 53) + 1).put("int.least", Long.MIN_VALUE)
        .put("double.pi", Math.PI).put("double.tiny", Double.MIN_VALUE).put("double.negative", -0.5)
        .put("list.text", "x", "猫", "").put("list.flag", true, false)
        .put("list.int", 1L, -2L, (1L << 53) + 1).put("list.double", 0.1, -2.5)
        .put(stringArrayKey("list.empty"), List.of())
        .put(valueKey("any.bytes"), Value.of(new byte[] {0, (byte) 255, (byte) 128}))
        .put(valueKey("any.map"), Value.of(KeyValue.of("a", Value.of(1L)),
            KeyValue.of("b", Value.of(Value.of("x"), Value.of(false), Value.empty()))))
        .build());
    server.addEvent("cache miss 未命中", Attributes.builder().put("cache.key", "书:42").put("cache.size", 7L)
        .put("cache.ratio", 0.25).put("cache.stale", false).put("cache.nodes", "a", "b").build(), start + 1_000_001, ns);
    server.addEvent("done", start + 249_999_999, ns);
    Context inside = Context.root().with(server);

    SpanContext other = SpanContext.createFromRemoteParent("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331",
        TraceFlags.getSampled(), TraceState.builder().put("linked", "yes").build());
    Attributes why = Attributes.builder().put("link.why", "retry of 重试").put("link.attempt", 2L).build();
    Span client = tracer.spanBuilder("SELECT orders").setParent(inside).setSpanKind(SpanKind.CLIENT)
        .addLink(other, why).setStartTimestamp(start + 2_000_000, ns).startSpan();
    client.setStatus(StatusCode.ERROR, "timeout 超时 after 87 ms");
    client.end(start + 90_000_003, ns);

    Span internal = provider.get("spoor.cast.minor").spanBuilder("render").setParent(inside)
        .addLink(other, why).addLink(other, why).setStartTimestamp(start + 100_000_000, ns).startSpan();
    for (int i = 0; i < 3; i++) internal.addEvent("tick", start + 150_000_000, ns);
    internal.setStatus(StatusCode.OK);
    internal.end(start + 200_000_000, ns);

    server.end(start + 250_000_001, ns);
    provider.shutdown().join(30, TimeUnit.SECONDS);
    // What the SDK says of itself.
    StringJoiner own = new StringJoiner(",");
    Resource.getDefault().getAttributes().forEach((key, value) -> {
      if (!key.getKey().equals("service.name")) own.add("\"" + key.getKey() + "\":\"" + value + "\"");
    });
    StringJoiner spanIds = new StringJoiner("\",\"", "\"", "\"");
    for (Span span : List.of(server, client, internal)) spanIds.add(span.getSpanContext().getSpanId());
    System.out.printf("{\"transport\":\"%s\",\"traceId\":\"%s\",\"spanIds\":[%s],\"own\":{%s}}%n",
        transport, server.getSpanContext().getTraceId(), spanIds, own);
  }

  public static void main(String[] args) throws IOException {
    for (String target : List.of(args).subList(1, args.length)) {
      String[] pair = target.split("=", 2);
      send(Long.parseLong(args[0]), pair[0], pair[1]);
    }
  }
}
