// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';

const UNIT_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

const DURATION = /^(?:\d+(?:\.\d+)?(?:ms|s|m|h))+$|^0$/;

/** Longest duration, in ms: Node's timers cannot wait longer. */
const MAX_MS = 2 ** 31 - 1;

const EXPECTED = 'must be a time with its units, such as 500ms, 30s or 1h30m, of at most 24 days';

/** Schema of a time as the OpenTelemetry collector writes it. */
export function durationSchema(usual: string, what: string): z.ZodDefault<z.ZodString> {
  return z
    .string({ error: EXPECTED })
    .refine((text) => DURATION.test(text) && toMs(text) <= MAX_MS, { error: EXPECTED })
    .default(usual)
    .describe(`Time with its units, such as 500ms, 30s or 1h30m: ${what}`);
}

/**
 * The milliseconds of a validated time.
 * @throws {RangeError} when it was not validated
 */
export function readDuration(text: string): number {
  if (!DURATION.test(text)) throw new RangeError(`${JSON.stringify(text)} is not a time`);
  return toMs(text);
}

function toMs(text: string): number {
  let ms = 0;
  for (const [, number, unit] of text.matchAll(/([\d.]+)(ms|s|m|h)/g)) {
    ms += Number(number) * (UNIT_MS[unit ?? ''] ?? 0);
  }
  return Math.round(ms);
}
