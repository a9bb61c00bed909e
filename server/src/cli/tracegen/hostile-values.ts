// SPDX-License-Identifier: Apache-2.0
import { BodyWriter } from './body-writer.ts';
import type { Random } from './random.ts';

/** Keys that spans of the hostile profile draw from; low ones are frequent. */
const KEYS: readonly string[] = Array.from({ length: 2000 }, (_, i) => keyName(i));
/** Levels of arrays and lists inside each other, at most. */
const MAX_DEPTH = 8;
/** Size of the large values, bytes. */
const LARGE_BYTES = 10_000;

/** Writes attributes that are legal and unpleasant. */
export class HostileValues {
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  /** Appends `count` attributes as fields with this tag; now and then a key comes twice. */
  attributes(writer: BodyWriter, tag: number, count: number): void {
    let repeated = '';
    for (let i = 0; i < count; i++) {
      const index = Math.floor(KEYS.length * this.#random.float() ** 3);
      const key = repeated !== '' && this.#random.chance(0.03) ? repeated : KEYS[index]!;
      repeated = key;
      this.#keyValue(writer, tag, key, this.#type(index), 0);
    }
  }

  /** One attribute with a large text or bytes. */
  largeAttribute(writer: BodyWriter, tag: number): void {
    const random = this.#random;
    const attribute = writer.begin(tag);
    writer.text(0x0a, random.pick(['app.payload', 'http.request.body', 'db.query.text']));
    const any = writer.begin(0x12);
    if (random.chance(0.3)) {
      const bytes = new Uint8Array(LARGE_BYTES);
      random.fill(bytes);
      writer.field(0x3a, bytes);
    } else {
      let text = '';
      while (text.length < LARGE_BYTES) text += `${random.pick(WORDS)} ${random.hex(8)} `;
      writer.text(0x0a, text.slice(0, LARGE_BYTES));
    }
    writer.end(any);
    writer.end(attribute);
  }

  /** A text of any kind. */
  text(): string {
    const random = this.#random;
    const dice = random.float();
    if (dice < 0.55) return random.pick(WORDS);
    if (dice < 0.75) return random.hex(random.between(4, 32));
    if (dice < 0.85) return String(random.int(1_000_000));
    if (dice < 0.95) return `${random.pick(ODD_TEXTS)}${random.int(50)}`;
    return random.pick(ODD_TEXTS);
  }

  /** Most values of a key have one type; a tenth does not. */
  #type(keyIndex: number): number {
    return TYPES[
      this.#random.chance(0.1) ? this.#random.int(TYPES.length) : keyIndex % TYPES.length
    ]!;
  }

  #keyValue(writer: BodyWriter, tag: number, key: string, type: number, depth: number): void {
    const attribute = writer.begin(tag);
    writer.text(0x0a, key);
    if (type !== NO_VALUE) {
      const any = writer.begin(0x12);
      this.#any(writer, type, depth);
      writer.end(any);
    }
    writer.end(attribute);
  }

  /** The content of an `AnyValue`. */
  #any(writer: BodyWriter, type: number, depth: number): void {
    const random = this.#random;
    switch (type) {
      case 1:
        writer.text(0x0a, this.text());
        break;
      case 2:
        writer.byte(0x10);
        writer.byte(random.int(2));
        break;
      case 3:
        writer.byte(0x18);
        writer.varint64(random.chance(0.1) ? random.pick(ODD_INTS) : BigInt(random.int(1000)));
        break;
      case 4:
        writer.byte(0x21);
        writer.double(random.chance(0.1) ? random.pick(ODD_DOUBLES) : random.float() * 1000);
        break;
      case 5: {
        const array = writer.begin(0x2a);
        const count = random.int(depth === 0 ? 6 : 3);
        for (let i = 0; i < count; i++) {
          const any = writer.begin(0x0a);
          this.#any(writer, this.#nestedType(depth), depth + 1);
          writer.end(any);
        }
        writer.end(array);
        break;
      }
      case 6: {
        const list = writer.begin(0x32);
        const count = random.int(depth === 0 ? 5 : 3);
        for (let i = 0; i < count; i++) {
          const key = random.chance(0.05) ? '' : random.pick(WORDS);
          this.#keyValue(writer, 0x0a, key, this.#nestedType(depth), depth + 1);
        }
        writer.end(list);
        break;
      }
      case 7: {
        const bytes = new Uint8Array(random.int(40));
        random.fill(bytes);
        writer.field(0x3a, bytes);
        break;
      }
      default: // an AnyValue with none of its values set
    }
  }

  #nestedType(depth: number): number {
    if (depth + 1 >= MAX_DEPTH) return 1;
    return this.#random.chance(0.3) ? this.#random.between(5, 6) : this.#random.pick(TYPES);
  }
}

function keyName(index: number): string {
  const group = [
    'app',
    'tenant',
    'http.request.header',
    'k8s.pod.label',
    'feature_flag',
    'Ünï.çøde',
  ];
  return `${group[index % group.length]!}.field-${String(index).padStart(4, '0')}`;
}

/** A `KeyValue` without its value. */
const NO_VALUE = 0;
/** An `AnyValue` without its value. */
const EMPTY = 8;
/** Field numbers of `AnyValue`, as often as they are to come. */
const TYPES: readonly number[] = [
  1,
  3,
  1,
  2,
  1,
  4,
  1,
  3,
  1,
  1,
  5,
  1,
  3,
  1,
  6,
  1,
  1,
  4,
  1,
  7,
  1,
  3,
  1,
  2,
  1,
  1,
  5,
  1,
  6,
  1,
  1,
  3,
  EMPTY,
  1,
  NO_VALUE,
];
const WORDS: readonly string[] = [
  'alpha',
  'beta',
  'gamma',
  'delta',
  'checkout',
  'GET',
  'POST',
  'eu-west-1',
  'us-east-1',
  'true',
  'false',
  'enabled',
  'gold',
  'silver',
  'free',
  'mobile',
  'desktop',
  'v1.2.3',
  'v2.0.0-rc1',
  'none',
];
const ODD_TEXTS: readonly string[] = [
  '',
  ' ',
  'null',
  'NaN',
  '"quoted" and \\escaped\\',
  'line\nbreak\ttab',
  'nul\u0000inside',
  '狩猟者の足跡',
  'السلام عليكم',
  '👩‍👩‍👧‍👦 family',
  'e\u0301 combining',
  '<script>alert(1)</script>',
  "'; DROP TABLE spans; --",
  'a=b&c=d%20e',
  '{"json": [1, 2, {"x": null}]}',
];
const ODD_INTS: readonly bigint[] = [
  0n,
  -1n,
  2n ** 53n + 1n,
  -(2n ** 53n) - 1n,
  2n ** 63n - 1n,
  -(2n ** 63n),
];
const ODD_DOUBLES: readonly number[] = [
  0,
  -0,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  Number.MIN_VALUE,
  Number.MAX_VALUE,
  0.1,
];
