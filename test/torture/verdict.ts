// SPDX-License-Identifier: Apache-2.0

/** Violations that are told in full; more are counted. */
const MAX_TOLD = 40;

/** One promise that was checked, with how often and what broke it. */
interface Promise_ {
  checks: number;
  broken: number;
}

/** Collects what was checked, what was broken and the figures of one torture. */
export class Verdict {
  readonly name: string;
  readonly #promises = new Map<string, Promise_>();
  readonly #figures: [name: string, value: string][] = [];
  #told = 0;
  #skipped: string | undefined;

  constructor(name: string) {
    this.name = name;
  }

  /** Counts checks of a promise that held. */
  held(promise: string, checks = 1): void {
    this.#promise(promise).checks += checks;
  }

  /** Tells of a broken promise, at once. */
  broken(promise: string, details: string): void {
    const entry = this.#promise(promise);
    entry.checks++;
    entry.broken++;
    if (this.#told++ < MAX_TOLD) this.say(`VIOLATION ${promise}: ${details}`);
  }

  /** Checks one promise. */
  check(promise: string, holds: boolean, details: () => string): void {
    if (holds) this.held(promise);
    else this.broken(promise, details());
  }

  /** The torture cannot run here. */
  skip(reason: string): void {
    this.#skipped = reason;
    this.say(`skipped: ${reason}`);
  }

  /** Why nothing was checked; undefined when something was. */
  get skipped(): string | undefined {
    return this.#skipped;
  }

  /** Notes a figure for the summary. */
  figure(name: string, value: string | number): void {
    this.#figures.push([name, typeof value === 'number' ? formatCount(value) : value]);
  }

  /** Prints a line while it goes on. */
  say(text: string): void {
    console.log(`${new Date().toISOString().slice(11, 19)} ${this.name}: ${text}`);
  }

  get brokenChecks(): number {
    let sum = 0;
    for (const { broken } of this.#promises.values()) sum += broken;
    return sum;
  }

  /** Promises of which every check held, and promises that were broken. */
  get counts(): { readonly pass: number; readonly fail: number } {
    const all = [...this.#promises.values()];
    const fail = all.filter(({ broken }) => broken > 0).length;
    return { pass: all.length - fail, fail };
  }

  /** The summary. */
  format(): string {
    const lines = [`\n== ${this.name}`];
    for (const [name, value] of this.#figures) lines.push(`   ${name.padEnd(44)} ${value}`);
    for (const [promise, { checks, broken }] of this.#promises) {
      const outcome = broken === 0 ? '✔' : '✖';
      const count =
        broken === 0 ? formatCount(checks) : `${broken} of ${formatCount(checks)} BROKEN`;
      lines.push(` ${outcome} ${promise.padEnd(44)} ${count}`);
    }
    return lines.join('\n');
  }

  #promise(promise: string): Promise_ {
    let entry = this.#promises.get(promise);
    if (entry === undefined) {
      entry = { checks: 0, broken: 0 };
      this.#promises.set(promise, entry);
    }
    return entry;
  }
}

/** 1234567 as `1,234,567`; one decimal below 100. */
export function formatCount(value: number): string {
  return Number.isInteger(value) || Math.abs(value) >= 100
    ? Math.round(value).toLocaleString('en-US')
    : value.toFixed(1);
}
