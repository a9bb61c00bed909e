// SPDX-License-Identifier: Apache-2.0
import { messageOf, SpoorError } from '@spoor/core/model/errors.ts';
import { fileErrorCode } from '../files/store-files.ts';

/** What making a directory says where something else is. */
const NO_DIRECTORY: Readonly<Record<string, string>> = {
  EEXIST: 'there is a file of this name, which is no directory',
  ENOTDIR: 'a part of its path is a file, and no directory',
};

/** Why nothing more is written to a directory that is not the one that was opened. */
export function lostDirectory(dir: string): SpoorError {
  return new SpoorError(
    'unavailable',
    `data directory ${dir}: it was removed, renamed or unmounted while it was in use; no new spans are taken until Spoor is started anew`,
  );
}

/** Why a directory cannot be used. */
export function directoryError(dir: string, cause: unknown): SpoorError {
  const why = NO_DIRECTORY[fileErrorCode(cause)] ?? messageOf(cause);
  return new SpoorError('unavailable', `data directory ${dir}: ${why}`, { cause });
}
