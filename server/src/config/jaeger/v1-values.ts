// SPDX-License-Identifier: Apache-2.0
import { quote } from '@spoor/core/model/errors.ts';
import { readDuration } from '../duration.ts';

const MIB = 1024 * 1024;

/** Makes our value of the text of a flag. @throws {RangeError} what the text must be */
export type Convert = (text: string) => unknown;

/** The text itself: our schema says whether it will do. */
export const asText: Convert = (text) => text;

/** `true` or `false` as Go writes them. */
export const asBoolean: Convert = (text) => {
  if (/^(?:1|t|true)$/i.test(text)) return true;
  if (/^(?:0|f|false)$/i.test(text)) return false;
  throw expected('true or false', text);
};

/** The other way around. */
export const asNot: Convert = (text) => asBoolean(text) !== true;

/** A whole number. */
export const asNumber: Convert = (text) => readNumber(text);

/** Bytes as whole MiB, at least one. */
export const asMib: Convert = (text) => Math.max(1, Math.ceil(readNumber(text) / MIB));

/** Bytes as KiB. */
export const asKib: Convert = (text) => Math.ceil(readNumber(text) / 1024);

/** A duration of Go as ms. */
export const asMs: Convert = (text) => readDuration(text);

/** A duration of Go as hours. */
export const asHours: Convert = (text) => readDuration(text) / 3_600_000;

/** A list with commas. */
export const asList = (text: string): string[] =>
  text
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');

/** A level of logs, also under the names that other programs have for it. */
export const asLogLevel: Convert = (text) =>
  text
    .toLowerCase()
    .replace(/^d?panic$/, 'fatal')
    .replace(/^warning$/, 'warn');

function readNumber(text: string): number {
  if (!/^\d+(?:\.\d+)?$/.test(text)) throw expected('a number', text);
  return Number(text);
}

function expected(what: string, text: string): RangeError {
  return new RangeError(`must be ${what}, not ${quote(text)}`);
}
