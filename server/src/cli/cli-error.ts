// SPDX-License-Identifier: Apache-2.0

/** Exit codes of every command. */
export const EXIT = {
  ok: 0,
  /** It began and failed. */
  failed: 1,
  /** The command line or the configuration is wrong. */
  usage: 2,
} as const;

/** The command line is wrong; the message is for the person who typed it. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
