// SPDX-License-Identifier: Apache-2.0
import { passUnknown } from '#wire/mapping/proto-fields.ts';
import type { ProtoReader } from '#wire/protobuf/reader.ts';

/** The seconds and nanoseconds of a `Timestamp` or a `Duration`. */
export class ProtoTime {
  /** As near as a double comes, which is exact for all that fits into 64 bits of ns. */
  seconds = 0;
  nanos = 0;

  /** Reads the message in `[reader.position, end)`. */
  read(reader: ProtoReader, end: number): void {
    this.seconds = 0;
    this.nanos = 0;
    while (reader.position < end) {
      const tag = reader.tag(end);
      if (tag === 8) {
        reader.varint64(end);
        this.seconds = (reader.hi | 0) * 2 ** 32 + reader.lo;
      } else if (tag === 16) this.nanos = reader.varint32(end) | 0;
      else passUnknown(reader, tag, end, 2);
    }
  }

  /** Whether the nanoseconds are less than a second, and where it is a time also not negative. */
  isValid(isDuration: boolean): boolean {
    return isDuration
      ? Math.abs(this.nanos) < 1e9
      : this.seconds >= 0 && this.nanos >= 0 && this.nanos < 1e9;
  }
}
