// SPDX-License-Identifier: Apache-2.0

/**
 * A double as a value for `JSON.stringify` that loses nothing: NaN and the infinities are the
 * strings of protobuf's JSON mapping, and -0 keeps its sign.
 * @see https://protobuf.dev/programming-guides/json/
 */
export function formatDouble(value: number): unknown {
  if (!Number.isFinite(value)) return String(value);
  return Object.is(value, -0) ? RAW_JSON.rawJSON('-0') : value;
}

// Part of ECMAScript 2026 and of Node, but not yet of the compiler's library.
const RAW_JSON = JSON as unknown as { rawJSON(text: string): unknown };
