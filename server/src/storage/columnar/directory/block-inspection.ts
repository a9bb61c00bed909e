// SPDX-License-Identifier: Apache-2.0
import { messageOf, SpoorError } from '@spoor/core/model/errors.ts';
import { BLOCK_FORMAT_VERSION } from '../block/block-format.ts';
import {
  type BlockTrailer,
  decodeTrailer,
  newerFormat,
  TRAILER_BYTES,
} from '../block/block-trailer.ts';
import {
  fileErrorCode,
  isTransientFileError,
  readFully,
  type StoreFile,
  type StoreFiles,
} from '../files/store-files.ts';

/** What is wrong with a block. */
export interface BlockFlaw {
  readonly what: string;
  /** The disk failed to read it: it may be whole, and readable later. */
  readonly isReadError: boolean;
  /** There is no such file. */
  readonly isMissing?: boolean;
}

/**
 * Looks at a block file from outside: that it is there, has its size, and ends as a block does. What is inside is checked when it is
 * read.
 * @returns what is wrong, undefined when nothing seems to be
 * @throws {SpoorError} corrupt for a newer format; what `files` throws for want of descriptors
 */
export async function inspectBlock(
  files: StoreFiles,
  path: string,
  sizeBytes: number,
): Promise<BlockFlaw | undefined> {
  let file: StoreFile | undefined;
  try {
    file = await files.open(path, 'read');
    const what = await inspectFile(file, path, sizeBytes);
    return what === undefined ? undefined : { what, isReadError: false };
  } catch (error) {
    if (error instanceof SpoorError || isTransientFileError(error)) throw error;
    if (fileErrorCode(error) === 'ENOENT')
      return { what: 'the file is missing', isReadError: false, isMissing: true };
    const why = messageOf(error);
    return { what: `it cannot be read: ${why}`, isReadError: true };
  } finally {
    await file?.close().catch(() => undefined);
  }
}

/** Size of a block file, and what its end says; undefined when a block cannot end so. */
export async function readTrailer(
  file: StoreFile,
): Promise<{ sizeBytes: number; trailer: BlockTrailer | undefined }> {
  const sizeBytes = await file.size();
  const tailAt = Math.max(0, sizeBytes - TRAILER_BYTES);
  const tail = await readFully(file, tailAt, sizeBytes - tailAt);
  return { sizeBytes, trailer: decodeTrailer(tail, sizeBytes) };
}

async function inspectFile(
  file: StoreFile,
  path: string,
  sizeBytes: number,
): Promise<string | undefined> {
  const { sizeBytes: size, trailer } = await readTrailer(file);
  if (trailer !== undefined && trailer.format > BLOCK_FORMAT_VERSION) {
    // Only the checksum tells a newer format from a damaged number.
    const footer = await readFully(file, trailer.footerAt, trailer.footerBytes);
    if (trailer.isOf(footer)) throw new SpoorError('corrupt', newerFormat(path, trailer.format));
    return 'its end is damaged';
  }
  if (size !== sizeBytes) return `it has ${size} bytes, and was written with ${sizeBytes}`;
  return trailer === undefined ? 'it does not end as a block does' : undefined;
}
