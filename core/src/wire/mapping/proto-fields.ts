// SPDX-License-Identifier: Apache-2.0
import type { ProtoReader } from '#wire/protobuf/reader.ts';

/** Passes over an unknown field; a known one gets here only by a wrong wire type, and is refused. */
export function passUnknown(
  reader: ProtoReader,
  tag: number,
  end: number,
  lastKnownField: number,
): void {
  if (tag >>> 3 <= lastKnownField) reader.fail(`field ${tag >>> 3} has wire type ${tag & 7}`);
  reader.skip(tag, end);
}
