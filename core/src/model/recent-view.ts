// SPDX-License-Identifier: Apache-2.0
import { viewOf } from './symbol-interner.ts';

/** Keeps the view of the array that was asked for last: texts one after the other nearly always lie in one. */
export class RecentView {
  #bytes: Uint8Array = NONE;
  #view = viewOf(NONE);

  /** A view of all of `bytes`. */
  of(bytes: Uint8Array): DataView {
    if (bytes !== this.#bytes) {
      this.#bytes = bytes;
      this.#view = viewOf(bytes);
    }
    return this.#view;
  }

  /** Lets go of the array. */
  clear(): void {
    this.of(NONE);
  }
}

const NONE: Uint8Array = new Uint8Array(0);
