// SPDX-License-Identifier: Apache-2.0

// Lets OpenTelemetry's Jaeger remote sampler ask until it says yes for one operation and no for the other; says so then.
// usage: go run main.go URL SERVICE SAMPLED UNSAMPLED
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"go.opentelemetry.io/contrib/samplers/jaegerremote"
	sdk "go.opentelemetry.io/otel/sdk/trace"
)

func main() {
	url, service, sampled, unsampled := os.Args[1], os.Args[2], os.Args[3], os.Args[4]
	// At first the answers are the other way round.
	sampler := jaegerremote.New(service,
		jaegerremote.WithSamplingServerURL(url),
		jaegerremote.WithSamplingRefreshInterval(50*time.Millisecond),
		jaegerremote.WithInitialSampler(sdk.NeverSample()))
	defer sampler.Close()
	tracer := sdk.NewTracerProvider(sdk.WithSampler(sampler)).Tracer("spoor")
	isSampled := func(operation string) bool {
		_, span := tracer.Start(context.Background(), operation)
		defer span.End()
		return span.SpanContext().IsSampled()
	}
	for !isSampled(sampled) || isSampled(unsampled) {
		time.Sleep(20 * time.Millisecond)
	}
	fmt.Println("as told")
}
