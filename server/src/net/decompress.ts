// SPDX-License-Identifier: Apache-2.0
import zlib from 'node:zlib';
import { SpoorError } from '@spoor/core/model/errors.ts';
import { BodyBuffer, bodyTooLarge, noRoomFor } from './body-buffer.ts';
import type { MemoryLease } from './memory-budget.ts';

/** Compressions of request bodies. `deflate` is the zlib format of RFC 1950. */
export type Compression = 'gzip' | 'deflate' | 'zstd';

/** What bounds {@link decompress}. */
export interface DecompressBounds {
  /** Largest output in bytes. */
  readonly capBytes: number;
  /** Grows by what decompressing needs; afterwards it holds the output beside what it held before. */
  readonly lease: MemoryLease;
}

// Spans compress 8 to 12 times, so the whole output of a usual request fits one piece and is not
// copied; a piece is allocated at once, so it stays small for small bodies.
const USUAL_RATIO = 12;
const LEAST_PIECE_BYTES = 16 * 1024;
const MOST_PIECE_BYTES = 1024 * 1024;
// RFC 8878 asks decoders for windows of at least 8 MiB.
const LEAST_ZSTD_WINDOW_LOG = 23;

/**
 * Decompresses a whole body piece by piece on the thread pool, reserving each piece before the
 * next: a bomb is stopped at the cap having cost no more memory than an honest body of that size.
 * @throws {SpoorError} malformed: not in the format, cut short; too_large: output over the cap;
 * overloaded: the budget is full for now. The lease is not released.
 */
export function decompress(
  compression: Compression,
  input: Uint8Array,
  bounds: DecompressBounds,
): Promise<Uint8Array> {
  const { lease, capBytes } = bounds;
  const pieceBytes = Math.max(
    LEAST_PIECE_BYTES,
    Math.min(USUAL_RATIO * input.length, MOST_PIECE_BYTES, capBytes),
  );
  return new Promise((resolve, reject) => {
    if (!lease.grow(pieceBytes)) {
      reject(noRoomFor(lease.bytes + pieceBytes, lease.limitBytes));
      return;
    }
    let workingBytes = pieceBytes;
    const body = new BodyBuffer({ capBytes, lease, reservedBytes: 0 });
    const stream = createDecompressor(compression, pieceBytes, capBytes);
    const fail = (error: SpoorError): void => {
      stream.destroy();
      reject(error);
    };
    stream.on('data', (piece: Buffer) => {
      // A zstd decoder keeps its window, up to all of the output so far.
      if (compression === 'zstd') {
        if (!lease.grow(piece.length)) {
          fail(noRoomFor(lease.bytes + piece.length, lease.limitBytes));
          return;
        }
        workingBytes += piece.length;
      }
      try {
        body.append(piece);
      } catch (error) {
        // append throws nothing else.
        fail(error as SpoorError);
      }
    });
    stream.on('end', () => {
      // An output of one piece occupies all of that piece.
      const slackBytes = Math.max(0, pieceBytes - body.length);
      lease.shrink(workingBytes - slackBytes);
      resolve(body.finish());
    });
    stream.on('error', (error: NodeJS.ErrnoException) => {
      fail(decompressionError(error, compression, input.length, capBytes));
    });
    stream.end(input);
  });
}

function createDecompressor(
  compression: Compression,
  chunkSize: number,
  capBytes: number,
): zlib.Gunzip | zlib.Inflate | zlib.ZstdDecompress {
  switch (compression) {
    case 'gzip':
      return zlib.createGunzip({ chunkSize });
    case 'deflate':
      return zlib.createInflate({ chunkSize });
    case 'zstd': {
      const windowLog = Math.max(LEAST_ZSTD_WINDOW_LOG, Math.ceil(Math.log2(capBytes)));
      const params = { [zlib.constants.ZSTD_d_windowLogMax]: windowLog };
      return zlib.createZstdDecompress({ chunkSize, params });
    }
  }
}

function decompressionError(
  error: NodeJS.ErrnoException,
  compression: Compression,
  inputBytes: number,
  capBytes: number,
): SpoorError {
  // A frame that needs a larger window also announces more output than the cap.
  if (error.code === 'ZSTD_error_frameParameter_windowTooLarge') return bodyTooLarge(capBytes);
  return new SpoorError(
    'malformed',
    `${compression} body of ${inputBytes} bytes cannot be decompressed: ${error.message}`,
    { cause: error },
  );
}
