// SPDX-License-Identifier: Apache-2.0

// Sends the cast of ../expected-trace.ts once for each `transport=URL` and prints the ids it used.
// usage: client START_UNIX_NANO TRANSPORT=URL...
package main

import (
	"context"
	"encoding/json"
	"log"
	"math"
	"os"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// withTraceState is a sampler, which is how a root span gets a trace state.
type withTraceState struct{ state trace.TraceState }

func (s withTraceState) ShouldSample(sdktrace.SamplingParameters) sdktrace.SamplingResult {
	return sdktrace.SamplingResult{Decision: sdktrace.RecordAndSample, Tracestate: s.state}
}
func (withTraceState) Description() string { return "withTraceState" }

func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}

func newExporter(ctx context.Context, transport, url string) sdktrace.SpanExporter {
	protocol, compression, _ := strings.Cut(transport, "+")
	os.Setenv("OTEL_EXPORTER_OTLP_COMPRESSION", compression)
	if protocol == "grpc" {
		return must(otlptracegrpc.New(ctx, otlptracegrpc.WithEndpointURL(url)))
	}
	return must(otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(url)))
}

func send(ctx context.Context, start int64, transport, url string) {
	at := func(nanos int64) trace.SpanEventOption { return trace.WithTimestamp(time.Unix(0, start+nanos)) }
	own := map[string]string{} // what the SDK says of itself
	for _, kv := range resource.Default().Attributes() {
		if kv.Key != "service.name" {
			own[string(kv.Key)] = kv.Value.AsString()
		}
	}
	attrs := []attribute.KeyValue{
		attribute.String("service.name", "cast-go"), attribute.String("deployment.environment.name", "测试"),
		attribute.Int("host.cpus", 8), attribute.Float64("host.load", 0.75), attribute.Bool("host.spot", true),
		attribute.StringSlice("host.tags", []string{"a", "β"}),
	}
	for key, value := range own {
		attrs = append(attrs, attribute.String(key, value))
	}
	limits := sdktrace.NewSpanLimits()
	limits.EventCountLimit, limits.LinkCountLimit = 2, 1
	provider := sdktrace.NewTracerProvider(
		sdktrace.WithBatcher(newExporter(ctx, transport, url)),
		sdktrace.WithResource(resource.NewWithAttributes("https://opentelemetry.io/schemas/1.39.0", attrs...)),
		sdktrace.WithSampler(withTraceState{must(trace.ParseTraceState("vendor=value,other=1"))}),
		sdktrace.WithRawSpanLimits(limits))
	tracer := provider.Tracer("spoor.cast", trace.WithInstrumentationVersion("1.2.3"),
		trace.WithSchemaURL("https://opentelemetry.io/schemas/1.40.0"),
		trace.WithInstrumentationAttributes(attribute.String("scope.tier", "gold"), attribute.Int("scope.level", 3)))

	inside, server := tracer.Start(ctx, "GET /bücher/{id} 📚", trace.WithSpanKind(trace.SpanKindServer), at(0))
	server.SetAttributes(
		attribute.String("text.ascii", "hello"), attribute.String("text.cjk", "余额不足"),
		attribute.String("text.emoji", "🦌🚀👩‍👩‍👧"), attribute.String("text.empty", ""),
		attribute.Bool("flag.true", true), attribute.Bool("flag.false", false),
		attribute.Int("int.zero", 0), attribute.Int("int.negative", -42),
		attribute.Int64("int.big", 1<<53+1), attribute.Int64("int.least", math.MinInt64),
		attribute.Float64("double.pi", math.Pi), attribute.Float64("double.tiny", math.SmallestNonzeroFloat64),
		attribute.Float64("double.negative", -0.5),
		attribute.StringSlice("list.text", []string{"x", "猫", ""}), attribute.BoolSlice("list.flag", []bool{true, false}),
		attribute.Int64Slice("list.int", []int64{1, -2, 1<<53 + 1}), attribute.Float64Slice("list.double", []float64{0.1, -2.5}),
		attribute.StringSlice("list.empty", nil), attribute.ByteSlice("any.bytes", []byte{0, 255, 128}),
		attribute.Map("any.map", attribute.Int("a", 1),
			attribute.Slice("b", attribute.StringValue("x"), attribute.BoolValue(false), attribute.Value{})))
	server.AddEvent("cache miss 未命中", at(1_000_001), trace.WithAttributes(
		attribute.String("cache.key", "书:42"), attribute.Int("cache.size", 7), attribute.Float64("cache.ratio", 0.25),
		attribute.Bool("cache.stale", false), attribute.StringSlice("cache.nodes", []string{"a", "b"})))
	server.AddEvent("done", at(249_999_999))

	link := trace.Link{
		SpanContext: trace.NewSpanContext(trace.SpanContextConfig{
			TraceID: must(trace.TraceIDFromHex("0af7651916cd43dd8448eb211c80319c")), SpanID: must(trace.SpanIDFromHex("b7ad6b7169203331")),
			TraceFlags: trace.FlagsSampled, TraceState: must(trace.ParseTraceState("linked=yes")), Remote: true}),
		Attributes: []attribute.KeyValue{attribute.String("link.why", "retry of 重试"), attribute.Int("link.attempt", 2)},
	}
	_, client := tracer.Start(inside, "SELECT orders", trace.WithSpanKind(trace.SpanKindClient), trace.WithLinks(link), at(2_000_000))
	client.SetStatus(codes.Error, "timeout 超时 after 87 ms")
	client.End(at(90_000_003))

	_, internal := provider.Tracer("spoor.cast.minor").Start(inside, "render", trace.WithLinks(link, link), at(100_000_000))
	for range 3 {
		internal.AddEvent("tick", at(150_000_000))
	}
	internal.SetStatus(codes.Ok, "")
	internal.End(at(200_000_000))

	server.End(at(250_000_001))
	must(0, provider.Shutdown(ctx))
	id := func(span trace.Span) string { return span.SpanContext().SpanID().String() }
	must(0, json.NewEncoder(os.Stdout).Encode(map[string]any{
		"transport": transport, "traceId": server.SpanContext().TraceID().String(),
		"spanIds": []string{id(server), id(client), id(internal)}, "own": own}))
}

func main() {
	start := must(strconv.ParseInt(os.Args[1], 10, 64))
	for _, target := range os.Args[2:] {
		transport, url, _ := strings.Cut(target, "=")
		send(context.Background(), start, transport, url)
	}
}
