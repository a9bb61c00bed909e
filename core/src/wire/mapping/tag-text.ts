// SPDX-License-Identifier: Apache-2.0

/** A text that a request may have at one place, kept until its span ends. */
export class TagText {
  isThere = false;
  bytes: Uint8Array = EMPTY;
  start = 0;
  end = 0;

  set(bytes: Uint8Array, start: number, end: number): void {
    this.isThere = true;
    this.bytes = bytes;
    this.start = start;
    this.end = end;
  }

  /** Takes it away, and lets go of the request. */
  clear(): void {
    this.isThere = false;
    this.bytes = EMPTY;
    this.start = this.end = 0;
  }

  get isEmpty(): boolean {
    return this.end === this.start;
  }

  /** Whether it has the same bytes. */
  equals(other: TagText): boolean {
    const length = this.end - this.start;
    if (other.end - other.start !== length) return false;
    for (let i = 0; i < length; i++) {
      if (this.bytes[this.start + i] !== other.bytes[other.start + i]) return false;
    }
    return true;
  }
}

const EMPTY: Uint8Array = new Uint8Array(0);
