// SPDX-License-Identifier: Apache-2.0
import { SpoorError, quote } from '@spoor/core/model/errors.ts';
import { AT_ONCE_BYTES, BodyBuffer, bodyTooLarge, noRoomFor } from './body-buffer.ts';
import { decompress, type Compression } from './decompress.ts';
import type { HttpExchange } from './http-exchange.ts';
import type { BodyBudget, MemoryLease } from './memory-budget.ts';
import { refusalOf, makeRefusal, type Refusal } from './refusal.ts';

/** What a request without a body costs all the same: its objects and headers. */
const LEAST_RESERVED_BYTES = 2048;
/** First reservation for a body of unknown length: one read from a socket. */
const CHUNKED_RESERVED_BYTES = 64 * 1024;

/** Names in Content-Encoding, and their old aliases. */
const CODINGS: ReadonlyMap<string, Compression | 'identity'> = new Map([
  ['identity', 'identity'],
  ['gzip', 'gzip'],
  ['x-gzip', 'gzip'],
  ['deflate', 'deflate'],
  ['zlib', 'deflate'],
  ['zstd', 'zstd'],
]);

/** Value of Accept-Encoding that names what {@link readCompression} takes. */
export const ACCEPTED_ENCODINGS = 'gzip, deflate, zstd';

/** A whole body. Whoever gets it releases the lease once the bytes are not used any more. */
export interface ReceivedBody {
  /** Decompressed. */
  readonly bytes: Uint8Array;
  /** Size as it came. */
  readonly wireBytes: number;
  readonly lease: MemoryLease;
}

/** Bounds of {@link receiveBody}. */
export interface BodyLimits {
  readonly budget: BodyBudget;
  /** Largest body, both before and after decompression. */
  readonly capBytes: number;
}

/**
 * Reads a Content-Encoding header: at most one coding, since each more multiplies what a small
 * body can blow up to.
 * @throws {SpoorError} unsupported
 */
export function readCompression(header: string | undefined): Compression | 'identity' {
  if (header === undefined || header === '') return 'identity';
  const coding = CODINGS.get(header.trim().toLowerCase());
  if (coding === undefined) {
    throw new SpoorError(
      'unsupported',
      `content encoding ${quote(header)} is not one of identity, ${ACCEPTED_ENCODINGS}`,
    );
  }
  return coding;
}

/**
 * Reads the body of a request: there has to be room for it before the first byte is read, and memory is reserved before it
 * is taken. Calls `deliver` exactly once, with the body or with why there is none.
 */
export function receiveBody(
  exchange: HttpExchange,
  compression: Compression | 'identity',
  limits: BodyLimits,
  deliver: (refusal: Refusal | undefined, body: ReceivedBody | undefined) => void,
): void {
  const { request, declaredBytes } = exchange;
  const { capBytes } = limits;
  const lease = admit(exchange, limits);
  if (lease instanceof SpoorError) {
    deliver(refusalOf(lease), undefined);
    return;
  }
  const bounds = { capBytes, lease, reservedBytes: lease.bytes };
  const buffer = new BodyBuffer(bounds, declaredBytes);
  lease.watch(() => buffer.keepSmall());
  let reading = true;
  const fail = (refusal: Refusal): void => {
    if (!reading) return;
    reading = false;
    lease.release();
    deliver(refusal, undefined);
  };
  exchange.onBroken = fail;
  request.on('data', (piece: Buffer) => {
    if (!reading) return;
    try {
      buffer.append(piece);
    } catch (error) {
      fail(refusalOf(error));
    }
  });
  request.on('end', () => {
    if (!reading) return;
    reading = false;
    lease.unwatch();
    if (compression === 'identity') {
      deliver(undefined, { bytes: buffer.finish(), wireBytes: buffer.length, lease });
    } else {
      decompressBody(buffer, compression, { capBytes, lease }, deliver);
    }
  });
  request.on('close', () => {
    if (reading) fail(makeRefusal('aborted', { http: 499, grpc: 1 }, 'the client went away'));
  });
  exchange.acceptBody();
}

function admit(exchange: HttpExchange, limits: BodyLimits): MemoryLease | SpoorError {
  const { declaredBytes, request } = exchange;
  const { budget, capBytes } = limits;
  if (
    declaredBytes === undefined &&
    request.headers['transfer-encoding']?.toLowerCase() !== 'chunked'
  ) {
    return new SpoorError(
      'unsupported',
      `transfer encoding ${quote(request.headers['transfer-encoding'] ?? '')} is not chunked`,
    );
  }
  if (declaredBytes !== undefined && declaredBytes > capBytes) {
    return bodyTooLarge(capBytes, declaredBytes);
  }
  const wantedBytes = Math.max(declaredBytes ?? CHUNKED_RESERVED_BYTES, LEAST_RESERVED_BYTES);
  const lease = budget.reserve(wantedBytes);
  lease?.trim(AT_ONCE_BYTES);
  return lease ?? noRoomFor(wantedBytes, budget.limitBytes);
}

function decompressBody(
  buffer: BodyBuffer,
  compression: Compression,
  bounds: { readonly capBytes: number; readonly lease: MemoryLease },
  deliver: (refusal: Refusal | undefined, body: ReceivedBody | undefined) => void,
): void {
  const { lease } = bounds;
  decompress(compression, buffer.finish(), bounds).then(
    (bytes) => {
      buffer.discard();
      deliver(undefined, { bytes, wireBytes: buffer.length, lease });
    },
    (error: unknown) => {
      lease.release();
      deliver(refusalOf(error), undefined);
    },
  );
}
