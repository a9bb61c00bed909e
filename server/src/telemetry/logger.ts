// SPDX-License-Identifier: Apache-2.0
import {
  pino,
  stdTimeFunctions,
  type DestinationStream,
  type LevelWithSilent,
  type Logger,
} from 'pino';

export type { Logger };

/**
 * The process's log: one JSON object a line, with `level` as a word and `time` in ISO 8601 UTC.
 *
 * Written synchronously, so the last line before an end is never lost.
 * @param destination standard output unless given
 */
export function createLogger(level: LevelWithSilent, destination?: DestinationStream): Logger {
  return pino(
    {
      level,
      base: null,
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    destination ?? pino.destination({ fd: 1, sync: true }),
  );
}

/** Cuts a text that a client sent so that it cannot flood the log; pino escapes control characters. */
export function cutForLog(text: string): string {
  // Long enough for any id, name or message worth reading.
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}
