// SPDX-License-Identifier: Apache-2.0
import io.opentelemetry.api.common.*;
import io.opentelemetry.api.trace.*;
import io.opentelemetry.context.Context;
import io.opentelemetry.exporter.jaeger.JaegerGrpcSpanExporter;
import io.opentelemetry.exporter.zipkin.ZipkinSpanExporter;
import io.opentelemetry.sdk.resources.Resource;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import io.opentelemetry.sdk.trace.export.*;
import java.util.concurrent.TimeUnit;
import zipkin2.codec.*;
import zipkin2.reporter.okhttp3.OkHttpSender;

/**
 * Sends one small trace with each of the retired exporters named on the command line, and prints its id.
 * usage: Client NAME=URL...
 */
final class Client {
  static SpanExporter exporter(String name, String url) {
    return switch (name) {
      case "jaeger grpc" -> JaegerGrpcSpanExporter.builder().setEndpoint(url).build();
      case "zipkin json" -> ZipkinSpanExporter.builder().setEndpoint(url).build();
      case "zipkin proto" -> ZipkinSpanExporter.builder().setEncoder(SpanBytesEncoder.PROTO3)
          .setSender(OkHttpSender.newBuilder().endpoint(url).encoding(Encoding.PROTO3).build()).build();
      default -> throw new IllegalArgumentException("unknown client " + name);
    };
  }

  static String send(SpanExporter exporter) {
    SdkTracerProvider provider = SdkTracerProvider.builder()
        .setResource(Resource.create(Attributes.builder().put("service.name", "otel-shop").put("host.name", "h1").build()))
        .addSpanProcessor(BatchSpanProcessor.builder(exporter).build())
        .build();
    Tracer tracer = provider.tracerBuilder("spoor.old").setInstrumentationVersion("1.2.3").build();
    SpanContext linked = SpanContext.createFromRemoteParent(
        "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331", TraceFlags.getSampled(), TraceState.getDefault());
    Span root = tracer.spanBuilder("get /bücher 📚").setSpanKind(SpanKind.SERVER).addLink(linked).startSpan();
    root.setAllAttributes(Attributes.builder().put("text", "未命中").put("int", 42).put("double", 0.25).put("yes", true).build());
    root.addEvent("cache miss", Attributes.builder().put("tries", 3).build());
    Span child = tracer.spanBuilder("select").setParent(Context.root().with(root)).setSpanKind(SpanKind.CLIENT).startSpan();
    child.setStatus(StatusCode.ERROR, "timeout 超时");
    child.end();
    root.end();
    provider.shutdown().join(30, TimeUnit.SECONDS);
    return root.getSpanContext().getTraceId();
  }

  public static void main(String[] args) {
    for (String target : args) {
      int at = target.lastIndexOf('=');
      String name = target.substring(0, at);
      System.out.printf("{\"client\":\"%s\",\"traceId\":\"%s\"}%n", name, send(exporter(name, target.substring(at + 1))));
    }
  }
}
