// SPDX-License-Identifier: Apache-2.0

/** Files that no longer count, and who still reads them. */
interface RetiredGroup {
  readonly paths: readonly string[];
  /** Those who began before and have not ended. */
  readonly readers: Set<symbol>;
}

/** Removes files that no longer count, as soon as nobody who began to read before that is left. */
export class RetiredFiles {
  readonly #unlink: (path: string) => Promise<void>;
  readonly #readers = new Set<symbol>();
  readonly #waiting = new Set<RetiredGroup>();
  #removing: Promise<void> = Promise.resolve();

  /** @param unlink removes a file; what fails is not tried again, since the next start removes it */
  constructor(unlink: (path: string) => Promise<void>) {
    this.#unlink = unlink;
  }

  /** Files that wait for their readers. */
  get waiting(): number {
    return this.#waiting.values().reduce((sum, { paths }) => sum + paths.length, 0);
  }

  /** Says that somebody reads from now on; the function that is returned says that they are done. */
  hold(): () => void {
    const reader = Symbol('reader');
    this.#readers.add(reader);
    return () => {
      this.#readers.delete(reader);
      for (const group of this.#waiting) {
        group.readers.delete(reader);
        this.#removeUnread(group);
      }
    };
  }

  /** These files count no more: nobody who begins from now on will look for them. */
  retire(paths: readonly string[]): void {
    const group = { paths, readers: new Set(this.#readers) };
    this.#waiting.add(group);
    this.#removeUnread(group);
  }

  /** Waits until everything that nobody reads is removed. */
  async settled(): Promise<void> {
    await this.#removing;
  }

  #removeUnread(group: RetiredGroup): void {
    if (group.readers.size > 0) return;
    this.#waiting.delete(group);
    const before = this.#removing;
    this.#removing = Promise.all(
      group.paths.map((path) => this.#unlink(path).catch(() => undefined)),
    ).then(() => before);
  }
}
