// SPDX-License-Identifier: Apache-2.0
import { type ErrorCode, SpoorError } from '@spoor/core/model/errors.ts';
import { serveInTurns } from '#workers/worker-thread.ts';
import { type DecodedBody, decodeInSlices, senderWentAway } from './body-decoding.ts';
import type { IngestFormat } from './trace-ingest.ts';

/** Asks the worker to decode a body. */
export interface DecodeRequest {
  readonly id: number;
  readonly format: IngestFormat;
  readonly body: Uint8Array;
  /** Four bytes; not zero once nobody waits any more. */
  readonly cancel: SharedArrayBuffer;
}

/** What comes back: the bytes of the batches, or why there are none. */
export type DecodeReply = { readonly id: number } & (
  | { readonly batches: readonly Uint8Array[]; readonly result: DecodedBody['result'] }
  | { readonly error: { readonly code: ErrorCode; readonly message: string } }
  /** What was thrown that no decoder should throw: for the log. */
  | { readonly fault: unknown }
);

/** Decodes a body; a slice ends with every yield. */
export function* answerInSlices({
  id,
  format,
  body,
  cancel,
}: DecodeRequest): Generator<void, DecodeReply, void> {
  const cancelled = new Int32Array(cancel);
  try {
    for (const slices = decodeInSlices(format, body); ;) {
      if (Atomics.load(cancelled, 0) !== 0) throw senderWentAway();
      const slice = slices.next();
      if (slice.done === true) {
        const { batches, result } = slice.value;
        return { id, batches: batches.map(({ bytes }) => bytes), result };
      }
      yield;
    }
  } catch (error) {
    if (!(error instanceof SpoorError)) return { id, fault: error };
    const { code, message } = error;
    return { id, error: { code, message } };
  }
}

serveInTurns(answerInSlices, (reply) => {
  const buffers = 'batches' in reply ? reply.batches.map(({ buffer }) => buffer) : [];
  return buffers.filter((buffer) => buffer instanceof ArrayBuffer);
});
