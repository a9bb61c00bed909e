// SPDX-License-Identifier: Apache-2.0

// Sends traces with exporters of the OpenTelemetry collector as it does: configured, started, given the traces, and
// shut down, which sends what is in their queues. Ends with an error when one of them logs one.
// usage: go run main.go {"exporter":NAME,"settings":{…},"request":OTLP_JSON}…
package main

import (
	"context"
	"encoding/json"
	"log"
	"os"

	"github.com/open-telemetry/opentelemetry-collector-contrib/exporter/zipkinexporter"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/xconfmap"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/otlpexporter"
	"go.opentelemetry.io/collector/exporter/otlphttpexporter"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	metric "go.opentelemetry.io/otel/metric/noop"
	trace "go.opentelemetry.io/otel/trace/noop"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

var factories = map[string]exporter.Factory{
	"otlp":     otlpexporter.NewFactory(),
	"otlphttp": otlphttpexporter.NewFactory(),
	"zipkin":   zipkinexporter.NewFactory(),
}

type sending struct {
	Exporter string
	Settings map[string]any
	Request  json.RawMessage
}

// host is a collector without extensions.
type host struct{}

func (host) GetExtensions() map[component.ID]component.Component { return nil }

func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}

func send(ctx context.Context, logger *zap.Logger, s sending) {
	factory := factories[s.Exporter]
	config := factory.CreateDefaultConfig()
	must(0, confmap.NewFromStringMap(s.Settings).Unmarshal(config))
	must(0, xconfmap.Validate(config))
	sender := must(factory.CreateTraces(ctx, exporter.Settings{
		ID: component.NewID(factory.Type()),
		TelemetrySettings: component.TelemetrySettings{
			Logger:         logger,
			TracerProvider: trace.NewTracerProvider(),
			MeterProvider:  metric.NewMeterProvider(),
			Resource:       pcommon.NewResource(),
		},
	}, config))
	must(0, sender.Start(ctx, host{}))
	traces := must((&ptrace.JSONUnmarshaler{}).UnmarshalTraces(s.Request))
	must(0, sender.ConsumeTraces(ctx, traces))
	must(0, sender.Shutdown(ctx))
}

func main() {
	logger := must(zap.NewProduction(zap.Hooks(func(entry zapcore.Entry) error {
		if entry.Level >= zap.ErrorLevel {
			os.Exit(1)
		}
		return nil
	})))
	for _, argument := range os.Args[1:] {
		var s sending
		must(0, json.Unmarshal([]byte(argument), &s))
		send(context.Background(), logger, s)
	}
}
