// SPDX-License-Identifier: Apache-2.0
import { messageOf, SpoorError } from '@spoor/core/model/errors.ts';
import type { OpenFiles } from '../files/open-files.ts';
import { fileErrorCode, isTransientFileError } from '../files/store-files.ts';
import type { FrameScratch } from './frame-scratch.ts';
import { decompress } from './zstd.ts';

/** The bytes of a block file. What is wrong with them is told with the path, and remembered. */
export class BlockBytes {
  readonly path: string;
  /** Why a part of the block could not be read, once that was tried; undefined while all is well. */
  damage: SpoorError | undefined;
  readonly #files: OpenFiles;

  /** @param files what the file is read through */
  constructor(path: string, files: OpenFiles) {
    this.path = path;
    this.#files = files;
  }

  /**
   * So many bytes of the file.
   * @param scratch whose memory they take
   * @throws {SpoorError} corrupt, unavailable
   */
  read(offset: number, length: number, scratch?: FrameScratch): Buffer<ArrayBuffer> {
    const bytes = scratch?.take(length) ?? Buffer.allocUnsafeSlow(length);
    let done = 0;
    while (done < length) {
      let count: number;
      try {
        count = this.#readSome(bytes.subarray(done), offset + done);
      } catch (cause) {
        throw this.#failed(`byte ${offset + done} cannot be read`, cause);
      }
      if (count === 0) {
        throw this.damaged(`ends ${length - done} bytes early, at byte ${offset + done}`);
      }
      done += count;
    }
    return bytes;
  }

  /** Reads once more where the disk failed: only what fails twice is taken for damage. */
  #readSome(into: Uint8Array, position: number): number {
    try {
      return this.#files.read(this.path, into, position);
    } catch (error) {
      if (fileErrorCode(error) !== 'EIO') throw error;
      return this.#files.read(this.path, into, position);
    }
  }

  /**
   * @param what in messages
   * @throws {SpoorError} corrupt: they are not so many bytes of zstd
   */
  decompress(bytes: Uint8Array, rawBytes: number, what: string, scratch?: FrameScratch): Buffer {
    try {
      return decompress(bytes, rawBytes, scratch?.take(rawBytes));
    } catch (cause) {
      if (cause instanceof SpoorError || isNoMemory(cause)) throw cause;
      throw this.damaged(`${what} is not ${rawBytes} bytes of zstd: ${messageOf(cause)}`);
    }
  }

  /** Notes damage, and makes an error of it. */
  damaged(what: string, cause?: unknown): SpoorError {
    this.damage = new SpoorError('corrupt', `block ${this.path}: ${what}`, { cause });
    return this.damage;
  }

  /** A file call failed: that says something about the block unless something is missing just now. */
  #failed(what: string, cause: unknown): SpoorError {
    const message = `${what}: ${messageOf(cause)}`;
    return isTransientFileError(cause)
      ? new SpoorError('unavailable', `block ${this.path}: ${message}`, { cause })
      : this.damaged(message, cause);
  }

  /** @throws {SpoorError} corrupt, unavailable */
  size(): number {
    try {
      return this.#files.size(this.path);
    } catch (cause) {
      throw this.#failed('cannot be opened', cause);
    }
  }
}

/** Codes of Node and zstd for contexts and buffers that there is no memory for. */
const NO_MEMORY = ['ERR_ZLIB_INITIALIZATION_FAILED', 'ZSTD_error_memory_allocation'];

/** Whether there was no memory; the error of V8 for that has no code. */
function isNoMemory(error: unknown): boolean {
  const code = fileErrorCode(error);
  return (error instanceof RangeError && code === '') || NO_MEMORY.includes(code);
}
