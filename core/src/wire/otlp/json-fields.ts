// SPDX-License-Identifier: Apache-2.0
import { encodeText } from '#model/utf8.ts';

/** Names that an object may have, each with a number above 0; found by bytes, without making a string. */
export class JsonFields {
  readonly #names: Uint8Array[] = [];
  readonly #numbers: number[] = [];
  /** Open addressing; 0 is free, else 1 + index of a name. */
  readonly #slots: Uint8Array;
  readonly #mask: number;

  /** @param numbers fewer than 256 names */
  constructor(numbers: Readonly<Record<string, number>>) {
    const names = Object.keys(numbers);
    let capacity = 16;
    while (capacity < names.length * 4) capacity *= 2;
    this.#slots = new Uint8Array(capacity);
    this.#mask = capacity - 1;
    for (const name of names) {
      const bytes = encodeText(name);
      let slot = this.#hash(bytes, 0, bytes.length);
      while (this.#slots[slot] !== 0) slot = (slot + 1) & this.#mask;
      this.#names.push(bytes);
      this.#numbers.push(numbers[name]!);
      this.#slots[slot] = this.#names.length;
    }
  }

  /**
   * The fields of a protobuf message in JSON: by its lowerCamelCase name, which OTLP asks for, and by its own, which
   * protobuf libraries and the OpenTelemetry collector read as well.
   * @param numbers by the names of the `.proto` file
   */
  static ofMessage(numbers: Readonly<Record<string, number>>): JsonFields {
    const all: Record<string, number> = {};
    for (const [name, number] of Object.entries(numbers)) {
      all[name] = number;
      all[name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())] = number;
    }
    return new JsonFields(all);
  }

  /** Number of the name `bytes[start, end)`, or 0. */
  find(bytes: Uint8Array, start: number, end: number): number {
    const length = end - start;
    let slot = this.#hash(bytes, start, end);
    for (;;) {
      const index = this.#slots[slot]!;
      if (index === 0) return 0;
      const name = this.#names[index - 1]!;
      if (name.length === length) {
        let i = 0;
        while (i < length && name[i] === bytes[start + i]) i++;
        if (i === length) return this.#numbers[index - 1]!;
      }
      slot = (slot + 1) & this.#mask;
    }
  }

  #hash(bytes: Uint8Array, start: number, end: number): number {
    const length = end - start;
    if (length === 0) return 0;
    return (bytes[start]! * 7 + bytes[end - 1]! * 3 + length * 5) & this.#mask;
  }
}
