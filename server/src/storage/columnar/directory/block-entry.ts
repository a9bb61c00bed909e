// SPDX-License-Identifier: Apache-2.0
import { SpoorError } from '@spoor/core/model/errors.ts';
import { BLOCK_FORMAT_VERSION } from '../block/block-format.ts';
import { newerFormat } from '../block/block-trailer.ts';
import { decodeFooter } from '../block/footer-codec.ts';
import { decompress } from '../block/zstd.ts';
import {
  isTransientFileError,
  readFully,
  type StoreFile,
  type StoreFiles,
} from '../files/store-files.ts';
import type { BlockEntry } from '../manifest/manifest-edit.ts';
import { readTrailer } from './block-inspection.ts';

/** A block of this size was merged: as sealed it has 4 to 8 MiB at most. */
const MERGED_BYTES = 8 << 20;

/**
 * What the manifest would say of a block, as far as the file tells by itself: how often it was merged is guessed, and of the log's records
 * nothing is known.
 * @returns undefined when the file does not end as a whole block does
 * @throws {SpoorError} corrupt for a newer format; what `files` throws for want of descriptors
 */
export async function entryOfFile(
  files: StoreFiles,
  path: string,
  key: Pick<BlockEntry, 'tenant' | 'id'>,
): Promise<Omit<BlockEntry, 'createdUnixMs'> | undefined> {
  let file: StoreFile | undefined;
  try {
    file = await files.open(path, 'read');
    const { sizeBytes, trailer } = await readTrailer(file);
    if (trailer === undefined) return undefined;
    const stored = await readFully(file, trailer.footerAt, trailer.footerBytes);
    if (!trailer.isOf(stored)) return undefined;
    if (trailer.format > BLOCK_FORMAT_VERSION) {
      throw new SpoorError('corrupt', newerFormat(path, trailer.format));
    }
    const { rows, traces, minStart, maxStart } = decodeFooter(
      decompress(stored, trailer.footerRawBytes),
      trailer.format,
    );
    return {
      ...key,
      level: sizeBytes < MERGED_BYTES ? 0 : 2,
      spans: rows,
      traces,
      sizeBytes,
      minStartUnixNano: BigInt(minStart),
      maxStartUnixNano: BigInt(maxStart),
      firstSequence: 0,
      lastSequence: 0,
    };
  } catch (error) {
    if (error instanceof SpoorError || isTransientFileError(error)) throw error;
    return undefined;
  } finally {
    await file?.close().catch(() => undefined);
  }
}
