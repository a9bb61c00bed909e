// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { SpoorError } from '@spoor/core/model/errors.ts';
import { DEFAULT_TENANT, type Tenant } from '@spoor/core/model/ids.ts';
import type { Span } from '@spoor/core/model/span.ts';
import type { SpanBatch } from '@spoor/core/model/span-batch.ts';
import { SpanReader } from '@spoor/core/model/span-reader.ts';
import { attributes, span, spanId, traceId } from '@spoor/core/query/testing/example-span.ts';
import { encodeSpans } from '@spoor/core/query/testing/span-body.ts';
import type { RequestRecord, StoredRequest, TraceWriter } from '#storage/tracestore.ts';
import type { Sender } from '../trace-ingest.ts';
import type { TraceBatcher } from '../trace-batcher.ts';

/** A write that the store was asked for; the test says when and how it ends. */
interface Write {
  readonly tenant: Tenant;
  readonly spans: readonly Span[];
  readonly requests: readonly RequestRecord[];
  readonly batch: SpanBatch;
  end(): Promise<void>;
  fail(error: Error): Promise<void>;
}

/** A writer whose writes end when they are told to. */
export class HeldWriter implements TraceWriter {
  readonly writes: Write[] = [];
  readonly stored: StoredRequest[] = [];

  write(tenant: Tenant, batch: SpanBatch, requests: readonly RequestRecord[] = []): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const reader = new SpanReader(batch);
    const spans = Array.from({ length: batch.rows }, (_, row) => reader.read(row));
    this.writes.push({
      tenant,
      spans,
      requests,
      batch,
      end: () => {
        resolve();
        return turn();
      },
      fail: (error) => {
        reject(error);
        return turn();
      },
    });
    return promise;
  }

  recentRequests(): readonly StoredRequest[] {
    return this.stored;
  }

  /** Names of the spans of each write. */
  names(): string[][] {
    return this.writes.map(({ spans }) => spans.map(({ name }) => name));
  }
}

/** Lets everything run that can run without an event from outside. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Lets turns pass until something is so. */
export async function until(condition: () => boolean): Promise<void> {
  for (let i = 0; i < 10_000; i++) {
    if (condition()) return;
    await turn();
  }
  assert.fail('it never was so');
}

/** Spans with these names. */
export function named(...names: string[]): Span[] {
  return names.map((name, i) => span({ name, spanId: spanId(i + 1) }));
}

/** A body of spans with these names. */
export function bodyOf(...names: string[]): Uint8Array {
  return encodeSpans(named(...names));
}

/** Gives a body of OTLP to a batcher. */
export function ingest(
  batcher: TraceBatcher,
  body: Uint8Array,
  sender?: Sender,
  tenant = DEFAULT_TENANT,
) {
  return batcher.ingest(tenant, 'otlp_proto', body, sender === undefined ? {} : { sender });
}

/** The answer when so many spans were taken. */
export const taken = (accepted: number) => ({ accepted, rejected: 0, message: '' });

/** Whether an error has this code. */
export function withCode(code: string): (error: unknown) => boolean {
  return (error) => error instanceof SpoorError && error.code === code;
}

/** A body over 512 KiB of so many spans. */
export function largeBody(count = 10_000, seed = 0): Uint8Array {
  const filler = 'x'.repeat(Math.ceil((1 << 20) / count));
  return encodeSpans(
    Array.from({ length: count }, (_, i) =>
      span({
        traceId: traceId(seed + 1),
        spanId: spanId(i + 1),
        attributes: attributes({ filler }),
      }),
    ),
  );
}
