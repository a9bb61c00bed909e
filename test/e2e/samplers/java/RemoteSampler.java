// SPDX-License-Identifier: Apache-2.0
import io.opentelemetry.api.trace.*;
import io.opentelemetry.sdk.extension.trace.jaeger.sampler.JaegerRemoteSampler;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import io.opentelemetry.sdk.trace.export.*;
import io.opentelemetry.sdk.trace.samplers.Sampler;
import java.time.Duration;

/**
 * Lets OpenTelemetry's Jaeger remote sampler ask each server until it says yes for one operation and no for the other; says so
 * then.
 * usage: RemoteSampler URL,URL... SERVICE SAMPLED UNSAMPLED
 */
final class RemoteSampler {
  public static void main(String[] args) throws InterruptedException {
    for (String url : args[0].split(",")) {
      // At first the answers are the other way round. Asked more often, the client has no thread left for the first answer.
      try (JaegerRemoteSampler sampler = JaegerRemoteSampler.builder().setEndpoint(url).setServiceName(args[1])
          .setPollingInterval(Duration.ofSeconds(1)).setInitialSampler(Sampler.alwaysOff()).build()) {
        // Without a processor no span is sampled.
        Tracer tracer = SdkTracerProvider.builder().setSampler(sampler)
            .addSpanProcessor(SimpleSpanProcessor.create(SpanExporter.composite())).build().get("spoor");
        while (!isSampled(tracer, args[2]) || isSampled(tracer, args[3])) Thread.sleep(20);
      }
    }
    System.out.println("as told");
  }

  static boolean isSampled(Tracer tracer, String operation) {
    Span span = tracer.spanBuilder(operation).startSpan();
    span.end();
    return span.getSpanContext().isSampled();
  }
}
