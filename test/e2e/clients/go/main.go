// SPDX-License-Identifier: Apache-2.0

// Sends one small trace with each of the retired exporters named on the command line, and prints its id.
// usage: go run main.go NAME=URL…
package main

import (
	"context"
	"encoding/json"
	"errors"
	"log"
	"net/url"
	"os"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/jaeger"
	"go.opentelemetry.io/otel/exporters/zipkin"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

func exporterOf(name string, target *url.URL) (sdk.SpanExporter, error) {
	switch name {
	case "jaeger udp":
		return jaeger.New(jaeger.WithAgentEndpoint(
			jaeger.WithAgentHost(target.Hostname()), jaeger.WithAgentPort(target.Port())))
	case "jaeger http":
		return jaeger.New(jaeger.WithCollectorEndpoint(jaeger.WithEndpoint(target.String())))
	case "zipkin":
		return zipkin.New(target.String())
	}
	return nil, errors.New("unknown client " + name)
}

func send(exporter sdk.SpanExporter) trace.TraceID {
	ctx := context.Background()
	provider := sdk.NewTracerProvider(sdk.WithBatcher(exporter), sdk.WithResource(resource.NewSchemaless(
		attribute.String("service.name", "otel-shop"), attribute.String("host.name", "h1"))))
	defer provider.Shutdown(ctx)
	tracer := provider.Tracer("spoor.old", trace.WithInstrumentationVersion("1.2.3"))
	linked := trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: trace.TraceID{0x0a, 0xf7, 0x65, 0x19, 0x16, 0xcd, 0x43, 0xdd, 0x84, 0x48, 0xeb, 0x21, 0x1c, 0x80, 0x31, 0x9c},
		SpanID:  trace.SpanID{0xb7, 0xad, 0x6b, 0x71, 0x69, 0x20, 0x33, 0x31},
	})
	ctx, root := tracer.Start(ctx, "get /bücher 📚", trace.WithSpanKind(trace.SpanKindServer),
		trace.WithLinks(trace.Link{SpanContext: linked}))
	root.SetAttributes(attribute.String("text", "未命中"), attribute.Int("int", 42),
		attribute.Float64("double", 0.25), attribute.Bool("yes", true))
	root.AddEvent("cache miss", trace.WithAttributes(attribute.Int("tries", 3)))
	_, child := tracer.Start(ctx, "select", trace.WithSpanKind(trace.SpanKindClient))
	child.SetStatus(codes.Error, "timeout 超时")
	child.End()
	root.End()
	return root.SpanContext().TraceID()
}

func main() {
	for _, argument := range os.Args[1:] {
		at := strings.LastIndex(argument, "=")
		target, err := url.Parse(argument[at+1:])
		if err != nil {
			log.Fatal(err)
		}
		exporter, err := exporterOf(argument[:at], target)
		if err != nil {
			log.Fatal(err)
		}
		line := map[string]string{"client": argument[:at], "traceId": send(exporter).String()}
		if err := json.NewEncoder(os.Stdout).Encode(line); err != nil {
			log.Fatal(err)
		}
	}
}
