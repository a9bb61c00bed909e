// SPDX-License-Identifier: Apache-2.0
import { parseRandomValue, parseThreshold } from './sampling-threshold.ts';

/** Members of a trace state at most; the last ones go when there are more. */
const MAX_MEMBERS = 32;

/**
 * A W3C trace state, of which the member `ot` is OpenTelemetry's.
 * @see https://www.w3.org/TR/trace-context-1/#tracestate-header
 * @see https://opentelemetry.io/docs/specs/otel/trace/tracestate-handling/
 */
export class OtTraceState {
  /** The rejection threshold that was used so far; undefined: none, or it cannot be read. */
  readonly threshold: bigint | undefined;
  /** The random value of the trace; undefined: it is in the trace id. */
  readonly randomValue: bigint | undefined;
  /** Entries of the member `ot` but for `th`, as they were. */
  readonly #entries: readonly string[];
  readonly #others: readonly string[];

  constructor(text: string) {
    const members = text
      .split(',')
      .map((member) => member.trim())
      .filter((member) => member !== '');
    const own = members.find((member) => member.startsWith('ot='))?.slice(3) ?? '';
    const entries = own.split(';').filter((entry) => entry !== '');
    const read = (key: string): string | undefined =>
      entries.find((entry) => entry.startsWith(`${key}:`))?.slice(key.length + 1);
    const [threshold, randomValue] = [read('th'), read('rv')];
    this.threshold = threshold === undefined ? undefined : parseThreshold(threshold);
    this.randomValue = randomValue === undefined ? undefined : parseRandomValue(randomValue);
    this.#entries = entries.filter((entry) => !entry.startsWith('th:'));
    this.#others = members.filter((member) => !member.startsWith('ot='));
  }

  /** The trace state with another threshold, as `th` writes it. The member that changed comes first, as W3C wants it. */
  withThreshold(threshold: string): string {
    const own = `ot=${[`th:${threshold}`, ...this.#entries].join(';')}`;
    return [own, ...this.#others].slice(0, MAX_MEMBERS).join(',');
  }
}
