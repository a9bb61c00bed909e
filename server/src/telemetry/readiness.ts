// SPDX-License-Identifier: Apache-2.0

/** Whether the server takes requests, and if not, why. */
export class Readiness {
  #notReady: string | undefined = 'starting: not every part is up yet';
  readonly #storeProblem: () => string | undefined;

  /** @param storeProblem why the store cannot be written to, or undefined while it can */
  constructor(storeProblem: () => string | undefined) {
    this.#storeProblem = storeProblem;
  }

  /** Every listener answers from now on. */
  setReady(): void {
    this.#notReady = undefined;
  }

  /** No new work from now on. */
  setDraining(): void {
    this.#notReady = 'stopping: requests under way are finished, new ones are not taken';
  }

  /** Why no requests should be sent here, or undefined when they may. */
  get problem(): string | undefined {
    if (this.#notReady !== undefined) return this.#notReady;
    const problem = this.#storeProblem();
    return problem === undefined ? undefined : `storage: ${problem}`;
  }
}
