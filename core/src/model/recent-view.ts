// SPDX-License-Identifier: Apache-2.0
import { viewOf } from './symbol-interner.ts';

/**
 * Keeps the views of the two arrays that were asked for last: texts one after the other nearly always lie in the body, but for a
 * key now and then that has an array of its own. To make a view costs as much as five attributes.
 */
export class RecentView {
  #bytes: Uint8Array = NONE;
  #view = viewOf(NONE);
  #bytesBefore: Uint8Array = NONE;
  #viewBefore = this.#view;

  /** A view of all of `bytes`. */
  of(bytes: Uint8Array): DataView {
    return bytes === this.#bytes ? this.#view : this.#other(bytes);
  }

  /** Lets go of the arrays. */
  clear(): void {
    this.of(NONE);
    this.#bytesBefore = NONE;
    this.#viewBefore = this.#view;
  }

  #other(bytes: Uint8Array): DataView {
    const view = bytes === this.#bytesBefore ? this.#viewBefore : viewOf(bytes);
    this.#bytesBefore = this.#bytes;
    this.#viewBefore = this.#view;
    this.#bytes = bytes;
    this.#view = view;
    return view;
  }
}

const NONE: Uint8Array = new Uint8Array(0);
