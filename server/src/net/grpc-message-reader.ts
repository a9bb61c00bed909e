// SPDX-License-Identifier: Apache-2.0
import { SpoorError, quote } from '@spoor/core/model/errors.ts';
import { AT_ONCE_BYTES, BodyBuffer, bodyTooLarge, noRoomFor } from './body-buffer.ts';
import { decompress, type Compression } from './decompress.ts';
import type { BodyBudget, MemoryLease } from './memory-budget.ts';

/** Compressed flag (1 byte) and length (4 bytes, big endian) before each message. */
const PREFIX_BYTES = 5;
/**
 * Reserved before anything is known of a message: what a sender may send at once on a stream,
 * the usual HTTP/2 flow control window.
 */
const FIRST_RESERVED_BYTES = 64 * 1024;

/** Names in grpc-encoding. */
const ENCODINGS: ReadonlyMap<string, Compression | 'identity'> = new Map([
  ['identity', 'identity'],
  ['gzip', 'gzip'],
  ['deflate', 'deflate'],
  ['zstd', 'zstd'],
]);

/** Value of grpc-accept-encoding that names what {@link GrpcMessageReader} takes. */
export const GRPC_ACCEPTED_ENCODINGS = 'identity,gzip,deflate,zstd';

/** The one message of a call. Whoever takes the lease releases it once the bytes are not used any more. */
export interface GrpcMessage {
  /** Decompressed. */
  readonly bytes: Uint8Array;
  /** Size as it came, without its prefix. */
  readonly wireBytes: number;
  readonly lease: MemoryLease;
}

/**
 * Reads the length-prefixed message of a unary call from the pieces of its stream: memory is
 * reserved at the headers, corrected when the length is known, and grown with a large message and the output of
 * decompression. Whoever makes a reader calls {@link abandon} or {@link finish}.
 * @see https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md
 */
export class GrpcMessageReader {
  readonly #capBytes: number;
  readonly #compression: Compression | 'identity';
  readonly #lease: MemoryLease;
  readonly #prefix = new Uint8Array(PREFIX_BYTES);
  #prefixLength = 0;
  #messageBytes = 0;
  #buffer: BodyBuffer | undefined;
  #isSlow = false;

  /**
   * @param encoding value of grpc-encoding
   * @throws {SpoorError} unsupported: the encoding; overloaded: the budget is full for now
   */
  constructor(encoding: string, capBytes: number, budget: BodyBudget) {
    const compression = ENCODINGS.get(encoding);
    if (compression === undefined) {
      throw new SpoorError(
        'unsupported',
        `grpc-encoding ${quote(encoding)} is not one of ${GRPC_ACCEPTED_ENCODINGS}`,
      );
    }
    const firstBytes = Math.min(FIRST_RESERVED_BYTES, capBytes);
    const lease = budget.reserve(firstBytes);
    if (lease === undefined) throw noRoomFor(firstBytes, budget.limitBytes);
    this.#compression = compression;
    this.#capBytes = capBytes;
    this.#lease = lease;
    lease.watch(() => this.#keepSmall());
  }

  /**
   * Takes the next piece of the stream.
   * @throws {SpoorError} too_large, overloaded; malformed: not one message
   */
  append(piece: Uint8Array): void {
    let rest = piece;
    if (this.#buffer === undefined) {
      const taken = Math.min(PREFIX_BYTES - this.#prefixLength, rest.length);
      this.#prefix.set(rest.subarray(0, taken), this.#prefixLength);
      this.#prefixLength += taken;
      if (this.#prefixLength < PREFIX_BYTES) return;
      this.#buffer = this.#begin();
      rest = rest.subarray(taken);
    }
    if (rest.length === 0) return;
    if (this.#buffer.length + rest.length > this.#messageBytes) {
      throw new SpoorError(
        'malformed',
        `grpc: ${this.#buffer.length + rest.length - this.#messageBytes} bytes after a message of ${this.#messageBytes}: a unary call has one message`,
      );
    }
    this.#buffer.append(rest);
  }

  /** Whether nothing has come at all. */
  get isEmpty(): boolean {
    return this.#prefixLength === 0;
  }

  /**
   * The message, once the stream has ended. The lease goes with it, or is released on failure.
   * @throws {SpoorError} malformed: cut short; what {@link decompress} throws
   */
  finish(): GrpcMessage | Promise<GrpcMessage> {
    const buffer = this.#buffer;
    const lease = this.#lease;
    lease.unwatch();
    if (buffer === undefined || buffer.length < this.#messageBytes) {
      lease.release();
      throw new SpoorError(
        'malformed',
        `grpc: message cut short: ${buffer?.length ?? 0} bytes of ${this.#messageBytes} came`,
      );
    }
    if (this.#prefix[0] === 1) return this.#decompress(buffer);
    return { bytes: buffer.finish(), wireBytes: buffer.length, lease };
  }

  /** Gives the reservation back; the message is not wanted any more. */
  abandon(): void {
    this.#lease.release();
  }

  #begin(): BodyBuffer {
    const flag = this.#prefix[0]!;
    if (flag > 1 || (flag === 1 && this.#compression === 'identity')) {
      throw new SpoorError(
        'malformed',
        `grpc: compressed flag ${flag} without a grpc-encoding for it`,
      );
    }
    this.#messageBytes = new DataView(this.#prefix.buffer).getUint32(1);
    if (this.#messageBytes > this.#capBytes) throw bodyTooLarge(this.#capBytes, this.#messageBytes);
    const lease = this.#lease;
    const missingBytes = this.#messageBytes - lease.bytes;
    if (missingBytes > 0 && !lease.grow(missingBytes)) {
      throw noRoomFor(this.#messageBytes, lease.limitBytes);
    }
    lease.trim(Math.min(this.#messageBytes, AT_ONCE_BYTES));
    const bounds = { capBytes: this.#capBytes, lease, reservedBytes: lease.bytes };
    const buffer = new BodyBuffer(bounds, this.#messageBytes);
    if (this.#isSlow) buffer.keepSmall();
    return buffer;
  }

  #keepSmall(): void {
    this.#isSlow = true;
    if (this.#buffer === undefined) this.#lease.trim(0);
    else this.#buffer.keepSmall();
  }

  async #decompress(buffer: BodyBuffer): Promise<GrpcMessage> {
    const lease = this.#lease;
    // A flag of 1 with identity was refused at the prefix.
    const compression = this.#compression as Compression;
    try {
      const input = buffer.finish();
      const bytes = await decompress(compression, input, { capBytes: this.#capBytes, lease });
      buffer.discard();
      return { bytes, wireBytes: buffer.length, lease };
    } catch (error) {
      lease.release();
      throw error;
    }
  }
}
