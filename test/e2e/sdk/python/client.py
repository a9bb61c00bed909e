# SPDX-License-Identifier: Apache-2.0
"""Sends the cast of ../expected-trace.ts once for each `transport=URL` and prints the ids it used.

usage: client.py START_UNIX_NANO TRANSPORT=URL...
"""

import json
import math
import sys

import grpc
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcExporter
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanLimits, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import Decision, Sampler, SamplingResult
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags
from opentelemetry.trace import set_span_in_context
from opentelemetry.trace.span import TraceState

START = int(sys.argv[1])


class WithTraceState(Sampler):
    """A sampler is how a root span gets a trace state."""

    def should_sample(self, *args, **kwargs):
        state = TraceState([("vendor", "value"), ("other", "1")])
        return SamplingResult(Decision.RECORD_AND_SAMPLE, trace_state=state)

    def get_description(self):
        return "WithTraceState"


def make_exporter(transport, url):
    if transport.startswith("grpc"):
        packed = grpc.Compression.Gzip if transport.endswith("+gzip") else grpc.Compression.NoCompression
        return GrpcExporter(endpoint=url, insecure=url.startswith('http:'), compression=packed)
    packed = Compression.Gzip if transport.endswith("+gzip") else Compression.NoCompression
    return HttpExporter(endpoint=url, compression=packed)


def send(transport, url):
    about = {
        "service.name": "cast-python",
        "deployment.environment.name": "测试",
        "host.cpus": 8,
        "host.load": 0.75,
        "host.spot": True,
        "host.tags": ["a", "β"],
    }
    resource = Resource.create(about, schema_url="https://opentelemetry.io/schemas/1.39.0")
    limits = SpanLimits(max_events=2, max_links=1)
    provider = TracerProvider(sampler=WithTraceState(), resource=resource, span_limits=limits)
    provider.add_span_processor(BatchSpanProcessor(make_exporter(transport, url)))
    schema = "https://opentelemetry.io/schemas/1.40.0"
    tracer = provider.get_tracer("spoor.cast", "1.2.3", schema, {"scope.tier": "gold", "scope.level": 3})

    server = tracer.start_span("GET /bücher/{id} 📚", kind=SpanKind.SERVER, start_time=START)
    server.set_attributes(
        {
            "text.ascii": "hello",
            "text.cjk": "余额不足",
            "text.emoji": "🦌🚀👩‍👩‍👧",
            "text.empty": "",
            "flag.true": True,
            "flag.false": False,
            "int.zero": 0,
            "int.negative": -42,
            "int.big": 2**53 + 1,
            "int.least": -(2**63),
            "double.pi": math.pi,
            "double.tiny": 5e-324,
            "double.negative": -0.5,
            "list.text": ["x", "猫", ""],
            "list.flag": [True, False],
            "list.int": [1, -2, 2**53 + 1],
            "list.double": [0.1, -2.5],
            "list.empty": [],
            "any.bytes": bytes([0, 255, 128]),
            "any.map": {"a": 1, "b": ["x", False, None]},
        }
    )
    cache = {"cache.key": "书:42", "cache.size": 7, "cache.ratio": 0.25, "cache.stale": False, "cache.nodes": ["a", "b"]}
    server.add_event("cache miss 未命中", cache, START + 1_000_001)
    server.add_event("done", timestamp=START + 249_999_999)
    inside = set_span_in_context(server)

    state = TraceState([("linked", "yes")])
    trace_id, span_id = 0x0AF7651916CD43DD8448EB211C80319C, 0xB7AD6B7169203331
    other = SpanContext(trace_id, span_id, True, TraceFlags(TraceFlags.SAMPLED), state)
    link = Link(other, {"link.why": "retry of 重试", "link.attempt": 2})
    client = tracer.start_span("SELECT orders", inside, SpanKind.CLIENT, links=[link], start_time=START + 2_000_000)
    client.set_status(Status(StatusCode.ERROR, "timeout 超时 after 87 ms"))
    client.end(START + 90_000_003)

    minor = provider.get_tracer("spoor.cast.minor")
    internal = minor.start_span("render", inside, links=[link, link], start_time=START + 100_000_000)
    for _ in range(3):
        internal.add_event("tick", timestamp=START + 150_000_000)
    internal.set_status(Status(StatusCode.OK))
    internal.end(START + 200_000_000)

    server.end(START + 250_000_001)
    provider.shutdown()
    # What the SDK says of itself.
    own = {key: value for key, value in resource.attributes.items() if key not in about}
    span_ids = [format(span.get_span_context().span_id, "016x") for span in (server, client, internal)]
    trace_id = format(server.get_span_context().trace_id, "032x")
    print(json.dumps({"transport": transport, "traceId": trace_id, "spanIds": span_ids, "own": own}))


for target in sys.argv[2:]:
    send(*target.split("=", 1))
