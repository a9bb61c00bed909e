// SPDX-License-Identifier: Apache-2.0
import type { BatchBuilder } from '#model/batch-builder.ts';
import { DecodeProgress } from '#model/decode-progress.ts';
import { quote } from '#model/errors.ts';
import { decodeText } from '#model/utf8.ts';
import {
  skipThrift,
  ThriftMessageType,
  ThriftType,
  type ThriftReader,
} from '#wire/thrift/thrift-reader.ts';
import type { JaegerClientReport } from './client-report.ts';
import { ThriftBatchDecoder } from './thrift-batch-decoder.ts';

/**
 * Decodes what Jaeger clients send to an agent, a datagram each: a Thrift message that calls `emitBatch`.
 *
 * - Undecodable bytes throw; the caller rolls the builder back to where it was before `begin`.
 * - A span that has no ids or times that cannot be kept is left out and counted; so its neighbours stay.
 * @see https://github.com/jaegertracing/jaeger-idl/blob/v0.6.0/thrift/agent.thrift
 */
export class JaegerAgentDecoder {
  readonly #progress = new DecodeProgress('jaeger agent');
  readonly #reader: ThriftReader;
  readonly #batches: ThriftBatchDecoder;
  #slices: Generator<void, void, void> | undefined;

  /** @param reader of the protocol that clients speak */
  constructor(reader: ThriftReader) {
    this.#reader = reader;
    this.#batches = new ThriftBatchDecoder(reader, this.#progress);
  }

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

  /** What the client said of itself, once its message is decoded. */
  get report(): JaegerClientReport | undefined {
    return this.#batches.report;
  }

  /** Starts on a message. The bytes must not change until it is decoded. */
  begin(body: Uint8Array): void {
    this.#reader.reset(body);
    this.#progress.begin();
    this.#slices = this.#message();
  }

  /**
   * Decodes about `maxSpans` spans more into the builder, which may be another one for each call.
   * @returns true when the message is done
   * @throws {SpoorError} malformed
   */
  decode(builder: BatchBuilder, maxSpans = Infinity): boolean {
    this.#progress.beginSlice(builder, maxSpans);
    return this.#slices!.next().done === true;
  }

  *#message(): Generator<void, void, void> {
    const reader = this.#reader;
    const type = reader.message();
    const name = decodeText(reader.bytes, reader.start, reader.end);
    if (type !== ThriftMessageType.call && type !== ThriftMessageType.oneway) {
      reader.fail(`message of type ${type}, which calls nothing`);
    }
    if (name !== 'emitBatch') reader.fail(`call of ${quote(name)}, which agents do not have`);
    for (let id = 0; ;) {
      const fieldType = reader.field(id);
      if (fieldType === ThriftType.stop) return;
      id = reader.fieldId;
      if (id === 1 && fieldType === ThriftType.struct) yield* this.#batches.decode();
      else skipThrift(reader, fieldType);
    }
  }
}
