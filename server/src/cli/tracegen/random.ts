// SPDX-License-Identifier: Apache-2.0

/**
 * A seeded source of random numbers: xoshiro128**, 32 bits a step. The same seed gives the same
 * sequence on every machine; it is not for secrets.
 * @see https://prng.di.unimi.it/xoshiro128starstar.c
 */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #d: number;
  /** The second number of a Box-Muller pair, NaN when there is none. */
  #spareNormal = Number.NaN;

  /** @param seed any finite number; its integer part counts, modulo 2^53 */
  constructor(seed: number) {
    const whole = Math.abs(Math.trunc(seed)) % 2 ** 53;
    // splitmix32 spreads seeds that differ in one bit over the whole state.
    let state = whole | 0;
    const next = (): number => {
      state = (state + 0x9e3779b9) | 0;
      let z = state;
      z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
      z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
      return z ^ (z >>> 15);
    };
    state = next() ^ (Math.floor(whole / 2 ** 32) * 2 + (seed < 0 ? 1 : 0));
    this.#a = next();
    this.#b = next();
    this.#c = next();
    this.#d = next() | 1; // never all zero
  }

  /** 0 to 2^32 - 1. */
  uint32(): number {
    const product = Math.imul(this.#b, 5);
    const result = Math.imul((product << 7) | (product >>> 25), 9);
    const shifted = this.#b << 9;
    this.#c ^= this.#a;
    this.#d ^= this.#b;
    this.#b ^= this.#c;
    this.#a ^= this.#d;
    this.#c ^= shifted;
    this.#d = (this.#d << 11) | (this.#d >>> 21);
    return result >>> 0;
  }

  /** [0, 1), in steps of 2^-32. */
  float(): number {
    return this.uint32() / 2 ** 32;
  }

  /** Whole number in [0, end). */
  int(end: number): number {
    return Math.floor(this.float() * end);
  }

  /** Whole number in [start, end]. */
  between(start: number, end: number): number {
    return start + this.int(end - start + 1);
  }

  /** True with this probability. */
  chance(ratio: number): boolean {
    return this.float() < ratio;
  }

  /** One of the entries, each as likely. */
  pick<T>(list: readonly T[]): T {
    return list[this.int(list.length)]!;
  }

  /** Log-normal: half of the numbers are below `median`; `sigma` is the spread of the logarithm. */
  logNormal(median: number, sigma: number): number {
    return median * Math.exp(sigma * this.#normal());
  }

  /** Fills `bytes[start, end)`. */
  fill(bytes: Uint8Array, start = 0, end = bytes.length): void {
    for (let at = start; at < end;) {
      let word = this.uint32();
      for (let i = 0; i < 4 && at < end; i++) {
        bytes[at++] = word & 255;
        word >>>= 8;
      }
    }
  }

  /** Lower-case hex digits. */
  hex(digits: number): string {
    let text = '';
    while (text.length < digits) text += this.uint32().toString(16).padStart(8, '0');
    return text.slice(0, digits);
  }

  /** A version 4 UUID. */
  uuid(): string {
    const a = this.hex(32);
    const variant = '89ab'[this.int(4)]!;
    return `${a.slice(0, 8)}-${a.slice(8, 12)}-4${a.slice(13, 16)}-${variant}${a.slice(17, 20)}-${a.slice(20)}`;
  }

  /** Lower-case letters and digits without those that are easily mistaken, as Kubernetes names pods. */
  suffix(length: number): string {
    let text = '';
    for (let i = 0; i < length; i++) text += SUFFIX_ALPHABET[this.int(SUFFIX_ALPHABET.length)];
    return text;
  }

  #normal(): number {
    const spare = this.#spareNormal;
    if (!Number.isNaN(spare)) {
      this.#spareNormal = Number.NaN;
      return spare;
    }
    const radius = Math.sqrt(-2 * Math.log(1 - this.float()));
    const angle = 2 * Math.PI * this.float();
    this.#spareNormal = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  }
}

const SUFFIX_ALPHABET = 'bcdfghjklmnpqrstvwxz2456789';
