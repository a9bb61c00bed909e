// SPDX-License-Identifier: Apache-2.0
import {
  closeSync,
  existsSync,
  openSync,
  readFileSync,
  readSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { SpoorError } from '@spoor/core/model/errors.ts';
import { ProtoReader, WireType } from '@spoor/core/wire/protobuf/reader.ts';
import type { Corpus, CorpusRequest } from './corpus.ts';
import { formatTraces, type CorpusTruth } from './corpus-truth.ts';

/** A body larger than this is taken for a damaged file: no server takes it. */
const MAX_BODY_BYTES = 64 << 20;
/** What is read from the file at once. */
const CHUNK_BYTES = 4 << 20;

/** Beside the corpus: one line a body, the tenant that sends it. Only where there are tenants. */
export function tenantsFile(path: string): string {
  return `${path}.tenants`;
}

/** Beside the corpus: its traces, tab separated. */
export function tracesFile(path: string): string {
  return `${path}.traces.tsv`;
}

/**
 * Writes a corpus: { length as 32 bits, big endian; body } for each request, and the files beside it.
 */
export function writeCorpusFile(path: string, corpus: Corpus): CorpusTruth {
  const file = new BodyFile(path);
  const tenants: string[] = [];
  try {
    for (const { body, tenant } of corpus) {
      file.write(body);
      tenants.push(tenant);
    }
  } finally {
    file.close();
  }
  const { truth } = corpus;
  if (tenants.some((tenant) => tenant !== '')) {
    writeFileSync(tenantsFile(path), tenants.map((tenant) => `${tenant}\n`).join(''));
  }
  const traces = openSync(tracesFile(path), 'w');
  try {
    for (const line of formatTraces(truth.traces)) writeSync(traces, line);
  } finally {
    closeSync(traces);
  }
  return truth;
}

/** A file of bodies that is written. */
export class BodyFile {
  readonly #file: number;
  readonly #header = Buffer.alloc(4);

  /** Makes the file, or empties it. */
  constructor(path: string) {
    this.#file = openSync(path, 'w');
  }

  write(body: Uint8Array): void {
    this.#header.writeUInt32BE(body.length);
    writeSync(this.#file, this.#header);
    writeSync(this.#file, body);
  }

  close(): void {
    closeSync(this.#file);
  }
}

/**
 * The requests of a file, a few MiB of it in memory at a time.
 * @throws {SpoorError} corrupt: the file ends inside a body
 */
export function* readCorpusFile(path: string): Generator<CorpusRequest> {
  const tenants = existsSync(tenantsFile(path))
    ? readFileSync(tenantsFile(path), 'utf8').split('\n')
    : [];
  let index = 0;
  for (const body of readBodies(path)) {
    yield { body, spans: countSpans(body), tenant: tenants[index++] ?? '' };
  }
}

/**
 * The bodies of a file, whatever they are.
 * @throws {SpoorError} corrupt: the file ends inside a body
 */
export function* readBodies(path: string): Generator<Uint8Array> {
  const file = openSync(path, 'r');
  try {
    let rest = Buffer.alloc(0);
    for (let index = 0; ;) {
      const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
      const count = readSync(file, chunk);
      rest = Buffer.concat([rest, chunk.subarray(0, count)]);
      let at = 0;
      for (;;) {
        if (rest.length - at < 4) break;
        const length = rest.readUInt32BE(at);
        if (length > MAX_BODY_BYTES) {
          throw new SpoorError(
            'corrupt',
            `${path}: body ${index} has ${length} bytes > ${MAX_BODY_BYTES}`,
          );
        }
        if (rest.length - at - 4 < length) break;
        yield rest.subarray(at + 4, at + 4 + length);
        at += 4 + length;
        index++;
      }
      rest = rest.subarray(at);
      if (count === 0) break;
    }
    if (rest.length > 0) {
      throw new SpoorError(
        'corrupt',
        `${path}: it ends inside a body, ${rest.length} bytes are left`,
      );
    }
  } finally {
    closeSync(file);
  }
}

/** Number of spans in an encoded `ExportTraceServiceRequest`. */
export function countSpans(body: Uint8Array): number {
  const reader = new ProtoReader('otlp', body);
  let spans = 0;
  // Down through resource_spans, scope_spans and spans: fields 1, 2 and 2.
  const walk = (end: number, level: number): void => {
    while (reader.position < end) {
      const tag = reader.tag(end);
      if (tag !== (((level === 0 ? 1 : 2) << 3) | WireType.bytes)) {
        reader.skip(tag, end);
        continue;
      }
      const length = reader.length(end);
      const stop = reader.position + length;
      if (level === 2) spans++;
      else walk(stop, level + 1);
      reader.position = stop;
    }
  };
  walk(body.length, 0);
  return spans;
}
