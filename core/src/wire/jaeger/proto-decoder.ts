// SPDX-License-Identifier: Apache-2.0
import { DecodeProgress } from '#model/decode-progress.ts';
import { SlicedDecoder } from '#model/sliced-decoder.ts';
import { passUnknown } from '#wire/mapping/proto-fields.ts';
import { JsonReader } from '#wire/otlp/json-reader.ts';
import { ProtoReader } from '#wire/protobuf/reader.ts';
import { JaegerJsonTranscoder } from './json-transcoder.ts';
import { ProtoProcessReader } from './proto-process.ts';
import { ProtoSpanReader } from './proto-span-reader.ts';
import { ProtoTagReader } from './proto-tag-reader.ts';

/**
 * Decodes `jaeger.api_v2.PostSpansRequest`.
 * @see https://github.com/jaegertracing/jaeger-idl/blob/v0.6.0/proto/api_v2/model.proto
 */
export function createJaegerProtoDecoder(): SlicedDecoder {
  const progress = new DecodeProgress('jaeger proto');
  const reader = new ProtoReader('jaeger proto');
  const batches = new ProtoBatchDecoder(reader, progress);
  return new SlicedDecoder(progress, (body) => {
    reader.reset(body);
    return batches.request();
  });
}

/** Decodes one `jaeger.api_v2.Span`, which is a message of Jaeger in Kafka. */
export function createJaegerSpanProtoDecoder(): SlicedDecoder {
  return singleSpanDecoder('jaeger proto', (body) => body);
}

/** Decodes one `jaeger.api_v2.Span` in protobuf's JSON. */
export function createJaegerSpanJsonDecoder(): SlicedDecoder {
  const transcoder = new JaegerJsonTranscoder(new JsonReader('jaeger json'));
  return singleSpanDecoder('jaeger json', (body) => transcoder.transcode(body));
}

function singleSpanDecoder(
  format: string,
  toProto: (body: Uint8Array) => Uint8Array,
): SlicedDecoder {
  const progress = new DecodeProgress(format);
  const reader = new ProtoReader(format);
  const batches = new ProtoBatchDecoder(reader, progress);
  return new SlicedDecoder(progress, function* (body) {
    if (progress.isFull) yield;
    reader.reset(toProto(body));
    batches.span();
  });
}

class ProtoBatchDecoder {
  readonly #reader: ProtoReader;
  readonly #progress: DecodeProgress;
  readonly #processes: ProtoProcessReader;
  readonly #spans: ProtoSpanReader;

  constructor(reader: ProtoReader, progress: DecodeProgress) {
    this.#reader = reader;
    this.#progress = progress;
    const tags = new ProtoTagReader(reader);
    this.#processes = new ProtoProcessReader(reader, tags);
    this.#spans = new ProtoSpanReader(reader, tags, this.#processes);
  }

  *request(): Generator<void, void, void> {
    const reader = this.#reader;
    const end = reader.bytes.length;
    while (reader.position < end) {
      const field = reader.tag(end);
      if (field === 10) yield* this.#batch(reader.length(end) + reader.position);
      else passUnknown(reader, field, end, 1);
    }
  }

  /** Decodes a body that is one span. */
  span(): void {
    const { builder } = this.#progress;
    const resource = builder.resources.intern(NO_PROCESS, 0, 0);
    this.#progress.endSpan(0, this.#spans.read(builder, resource, this.#reader.bytes.length));
  }

  *#batch(end: number): Generator<void, void, void> {
    const reader = this.#reader;
    const progress = this.#progress;
    const process = this.#process(end);
    let resource = progress.builder.resources.intern(process, 0, process.length);
    while (reader.position < end) {
      const start = reader.position;
      const field = reader.tag(end);
      if (field !== 10) {
        reader.skip(field, end);
        continue;
      }
      const spanEnd = reader.length(end) + reader.position;
      progress.endSpan(start, this.#spans.read(progress.builder, resource, spanEnd));
      if (progress.isFull) {
        yield;
        resource = progress.builder.resources.intern(process, 0, process.length);
      }
    }
  }

  /** Symbol of the batch's process, which stands after its spans; the position stays. */
  #process(end: number): Uint8Array {
    const reader = this.#reader;
    const { position } = reader;
    let processStart = -1;
    let processEnd = -1;
    while (reader.position < end) {
      const field = reader.tag(end);
      if (field === 18) {
        processEnd = reader.length(end);
        processStart = reader.position;
        reader.position = processEnd += processStart;
      } else if (field === 10) reader.skip(field, end);
      else passUnknown(reader, field, end, 2);
    }
    reader.position = position;
    return processStart < 0 ? NO_PROCESS : this.#processes.symbol(processStart, processEnd);
  }
}

/** Symbol of a resource that was not sent. */
const NO_PROCESS: Uint8Array = new Uint8Array(0);
