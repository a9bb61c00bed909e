// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import { rmSync } from 'node:fs';
import { BatchBuilder } from '../core/src/model/batch-builder.ts';
import type { SpanBatch } from '../core/src/model/span-batch.ts';
import { OtlpProtoDecoder } from '../core/src/wire/otlp/decode.ts';
import type { CorpusRequest } from '../server/src/cli/tracegen/corpus.ts';
import { BodyFile, readBodies, readCorpusFile } from '../server/src/cli/tracegen/corpus-file.ts';
import { rowsByResource } from '../server/src/cli/tracegen/jaeger-datagram.ts';
import type { WireFormat } from './wire-formats.ts';

/** Spans that are sorted by process at a time; they are all in memory. */
const CHUNK_SPANS = 100_000;

/** The spans of a corpus in several formats: the same spans of one process in each request, whatever the format. */
export class WireCorpus {
  readonly #directory: string;
  /** Spans of each request. */
  readonly #spans: readonly number[];
  readonly #files: readonly string[];

  private constructor(directory: string, spans: readonly number[], files: readonly string[]) {
    this.#directory = directory;
    this.#spans = spans;
    this.#files = files;
  }

  /**
   * Writes the files.
   * @param file of a corpus in OTLP
   * @param requestSpans of a full request
   * @param minSpans smaller requests, of which each process has some at its end, are left out
   */
  static write(
    directory: string,
    file: string,
    encoders: readonly WireFormat['encode'][],
    requestSpans: number,
    minSpans = 1,
  ): WireCorpus {
    const spans: number[] = [];
    const files = encoders.map((_, i) => `wire-${requestSpans}-${i}.bin`);
    const writers = files.map((name) => new BodyFile(join(directory, name)));
    for (const batch of batchesOf(file)) {
      for (const rows of rowsByResource(batch, requestSpans)) {
        if (rows.length < minSpans) continue;
        spans.push(rows.length);
        encoders.forEach((encode, i) => writers[i]!.write(encode(batch, rows)));
      }
    }
    for (const writer of writers) writer.close();
    return new WireCorpus(directory, spans, files);
  }

  /** Spans of all requests. */
  get spans(): number {
    return this.#spans.reduce((sum, count) => sum + count, 0);
  }

  /** The file in a format, by the place of its encoder. */
  file(format: number): string {
    return join(this.#directory, this.#files[format]!);
  }

  /** The requests in a format. */
  *requests(format: number): Generator<CorpusRequest> {
    let index = 0;
    for (const body of readBodies(this.file(format))) {
      yield { body, spans: this.#spans[index++]!, tenant: '' };
    }
  }

  /** Deletes the files. */
  remove(): void {
    for (const name of this.#files) rmSync(join(this.#directory, name), { force: true });
  }
}

function* batchesOf(file: string): Generator<SpanBatch> {
  const decoder = new OtlpProtoDecoder();
  const builder = new BatchBuilder();
  for (const { body } of readCorpusFile(file)) {
    decoder.begin(body);
    while (!decoder.decode(builder));
    if (builder.rows >= CHUNK_SPANS) yield builder.finish();
  }
  if (builder.rows > 0) yield builder.finish();
}
