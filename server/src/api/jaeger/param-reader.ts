// SPDX-License-Identifier: Apache-2.0
import { SpoorError, quote } from '@spoor/core/model/errors.ts';
import { parseGoDuration } from '@spoor/core/query/go-duration.ts';

/** Reads parameters of a request by the names of {@link TRACE_PARAMS} and the like, whatever an API calls them. */
export class ParamReader {
  readonly #params: URLSearchParams;
  readonly #namesOf: (name: string) => readonly string[];

  /** @param namesOf what the API calls a parameter: the first name that is there counts */
  constructor(
    params: URLSearchParams,
    namesOf: (name: string) => readonly string[] = (name) => [name],
  ) {
    this.#params = params;
    this.#namesOf = namesOf;
  }

  /** Name of a parameter as it came, or as it should come. */
  nameOf(name: string): string {
    const names = this.#namesOf(name);
    return names.find((one) => this.#params.has(one)) ?? names[0]!;
  }

  /** The text of a parameter, or undefined when it is missing or empty: a form sends every field. */
  text(name: string): string | undefined {
    return this.#params.get(this.nameOf(name)) || undefined;
  }

  /**
   * A Go duration in ns.
   * @throws {SpoorError} invalid_argument
   */
  duration(name: string): bigint | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const nanos = parseGoDuration(text);
    if (nanos === undefined) {
      throw this.unreadable(name, text, 'a duration such as 1.2s, 100ms or 500us');
    }
    return nanos;
  }

  /**
   * A Unix time in µs.
   * @throws {SpoorError} invalid_argument
   */
  micros(name: string): bigint | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    // 16 digits of µs reach to the year 2286.
    if (!/^\d{1,16}$/.test(text)) {
      throw this.unreadable(name, text, 'a Unix time in microseconds of at most 16 digits');
    }
    return BigInt(text);
  }

  /**
   * A boolean as Go writes it; false where it is missing.
   * @throws {SpoorError} invalid_argument
   */
  flag(name: string): boolean {
    const text = this.text(name) ?? 'false';
    if (/^(?:1|t|T|true|True|TRUE)$/.test(text)) return true;
    if (/^(?:0|f|F|false|False|FALSE)$/.test(text)) return false;
    throw this.unreadable(name, text, 'true or false');
  }

  /**
   * A whole number in [least, most].
   * @throws {SpoorError} invalid_argument
   */
  whole(name: string, least: number, most: number): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const value = Number(text);
    if (!/^\d{1,15}$/.test(text) || value < least || value > most) {
      throw this.unreadable(name, text, `a number from ${least} to ${most}`);
    }
    return value;
  }

  /** The error for a parameter that is not what it should be. */
  unreadable(name: string, text: string, expected: string): SpoorError {
    return new SpoorError(
      'invalid_argument',
      `unable to parse param '${this.nameOf(name)}': ${quote(text)} is not ${expected}`,
    );
  }
}
