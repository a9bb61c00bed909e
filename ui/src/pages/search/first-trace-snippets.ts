// SPDX-License-Identifier: Apache-2.0

/** How to send the first trace from one language. */
export interface Snippet {
  readonly name: string;
  readonly steps: readonly { readonly title: string; readonly code: string }[];
}

/**
 * What to run or write to send a first trace.
 * @param host where Spoor's receivers are reached, as in a URL.
 */
export function firstTraceSnippets(host: string): readonly Snippet[] {
  const http = `http://${host}:4318`;
  const grpc = `http://${host}:4317`;
  return [
    {
      name: 'Node',
      steps: [
        {
          title: 'Install',
          code: 'npm install @opentelemetry/api @opentelemetry/auto-instrumentations-node',
        },
        {
          title: 'Run your program with it',
          code: `export OTEL_SERVICE_NAME=my-service
export OTEL_EXPORTER_OTLP_ENDPOINT=${http}
export OTEL_METRICS_EXPORTER=none OTEL_LOGS_EXPORTER=none
node --require @opentelemetry/auto-instrumentations-node/register app.js`,
        },
      ],
    },
    {
      name: 'Go',
      steps: [
        {
          title: 'Install',
          code: `go get go.opentelemetry.io/otel/sdk \\
  go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc`,
        },
        {
          title: 'Set up once, in main',
          code: `exporter, err := otlptracegrpc.New(ctx,
	otlptracegrpc.WithEndpoint("${host}:4317"),
	otlptracegrpc.WithInsecure())
if err != nil {
	log.Fatal(err)
}
provider := sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter))
defer provider.Shutdown(ctx)
otel.SetTracerProvider(provider)`,
        },
        {
          title: 'Make a span, and run with a name',
          code: `ctx, span := otel.Tracer("main").Start(ctx, "hello")
defer span.End()

// OTEL_SERVICE_NAME=my-service go run .`,
        },
      ],
    },
    {
      name: 'Python',
      steps: [
        {
          title: 'Install',
          code: `pip install opentelemetry-distro opentelemetry-exporter-otlp
opentelemetry-bootstrap -a install`,
        },
        {
          title: 'Run your program with it',
          code: `export OTEL_SERVICE_NAME=my-service
export OTEL_EXPORTER_OTLP_ENDPOINT=${grpc}
export OTEL_METRICS_EXPORTER=none OTEL_LOGS_EXPORTER=none
opentelemetry-instrument python app.py`,
        },
      ],
    },
    {
      name: 'Java',
      steps: [
        {
          title: 'Get the agent',
          code: `curl -LO https://github.com/open-telemetry/opentelemetry-java-instrumentation/releases/latest/download/opentelemetry-javaagent.jar`,
        },
        {
          title: 'Run your program with it',
          code: `export OTEL_SERVICE_NAME=my-service
export OTEL_EXPORTER_OTLP_ENDPOINT=${http}
export OTEL_METRICS_EXPORTER=none OTEL_LOGS_EXPORTER=none
java -javaagent:opentelemetry-javaagent.jar -jar app.jar`,
        },
      ],
    },
    {
      name: 'curl',
      steps: [
        {
          title: 'Send one span, no SDK needed',
          code: `NOW=$(date +%s)
curl ${http}/v1/traces -H 'Content-Type: application/json' -d '{
  "resourceSpans": [{
    "resource": {"attributes": [
      {"key": "service.name", "value": {"stringValue": "hello"}}]},
    "scopeSpans": [{"spans": [{
      "traceId": "'$(openssl rand -hex 16)'",
      "spanId": "'$(openssl rand -hex 8)'",
      "name": "first span", "kind": 1,
      "startTimeUnixNano": "'$((NOW - 1))'000000000",
      "endTimeUnixNano": "'$NOW'000000000"
    }]}]
  }]
}'`,
        },
      ],
    },
  ];
}
