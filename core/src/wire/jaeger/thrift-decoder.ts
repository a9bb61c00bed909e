// SPDX-License-Identifier: Apache-2.0
import type { BatchBuilder } from '#model/batch-builder.ts';
import { DecodeProgress } from '#model/decode-progress.ts';
import { ThriftBinaryReader } from '#wire/thrift/binary-reader.ts';
import { ThriftBatchDecoder } from './thrift-batch-decoder.ts';

/**
 * Decodes the body of Jaeger's Thrift over HTTP: one `Batch` in the binary protocol. What follows it is not looked at.
 *
 * - Undecodable bytes throw; the caller rolls the builder back to where it was before `begin`.
 * - A span that has no ids or times that cannot be kept is left out and counted; so its neighbours stay.
 */
export class JaegerThriftDecoder {
  readonly #progress = new DecodeProgress('jaeger thrift');
  readonly #reader = new ThriftBinaryReader();
  readonly #batches = new ThriftBatchDecoder(this.#reader, this.#progress);
  #slices: Generator<void, void, void> | undefined;

  /** Spans taken and left out since `begin`. */
  get accepted(): number {
    return this.#progress.accepted;
  }

  get rejected(): number {
    return this.#progress.rejected;
  }

  /** Why the first span was left out; empty when none was. */
  get rejectedMessage(): string {
    return this.#progress.rejectedMessage;
  }

  /** Starts on a request. The bytes must not change until it is decoded. */
  begin(body: Uint8Array): void {
    this.#reader.reset(body);
    this.#progress.begin();
    this.#slices = this.#batches.decode();
  }

  /**
   * Decodes about `maxSpans` spans more into the builder, which may be another one for each call.
   * @returns true when the request is done
   * @throws {SpoorError} malformed
   */
  decode(builder: BatchBuilder, maxSpans = Infinity): boolean {
    this.#progress.beginSlice(builder, maxSpans);
    return this.#slices!.next().done === true;
  }
}
