# SPDX-License-Identifier: Apache-2.0
# Sends one small trace with each of the retired exporters named on the command line, and prints its id.
# usage: client.py NAME=URL…
import json
import sys
from urllib.parse import urlsplit

from opentelemetry.exporter.jaeger.proto.grpc import JaegerExporter as ProtoExporter
from opentelemetry.exporter.jaeger.thrift import JaegerExporter as ThriftExporter
from opentelemetry.exporter.zipkin.json import ZipkinExporter as JsonExporter
from opentelemetry.exporter.zipkin.proto.http import ZipkinExporter as ZipkinProtoExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Link, SpanContext, SpanKind, TraceFlags, set_span_in_context
from opentelemetry.trace.status import Status, StatusCode

EXPORTERS = {
    "thrift udp": lambda url: ThriftExporter(agent_host_name=url.hostname, agent_port=url.port),
    "thrift http": lambda url: ThriftExporter(collector_endpoint=url.geturl()),
    "proto grpc": lambda url: ProtoExporter(collector_endpoint=url.netloc, insecure=True),
    "zipkin json": lambda url: JsonExporter(endpoint=url.geturl()),
    "zipkin proto": lambda url: ZipkinProtoExporter(endpoint=url.geturl()),
}
LINKED = SpanContext(0x0AF7651916CD43DD8448EB211C80319C, 0xB7AD6B7169203331, True, TraceFlags(1))

for target in sys.argv[1:]:
    name, _, url = target.rpartition("=")
    provider = TracerProvider(resource=Resource({"service.name": "otel-shop", "host.name": "h1"}))
    provider.add_span_processor(BatchSpanProcessor(EXPORTERS[name](urlsplit(url))))
    tracer = provider.get_tracer("spoor.old", "1.2.3")
    root = tracer.start_span("get /bücher 📚", kind=SpanKind.SERVER, links=[Link(LINKED)])
    root.set_attributes({"text": "未命中", "int": 42, "double": 0.25, "yes": True})
    root.add_event("cache miss", {"tries": 3})
    child = tracer.start_span("select", set_span_in_context(root), SpanKind.CLIENT)
    child.set_status(Status(StatusCode.ERROR, "timeout 超时"))
    child.end()
    root.end()
    provider.shutdown()
    print(json.dumps({"client": name, "traceId": f"{root.get_span_context().trace_id:032x}"}))
