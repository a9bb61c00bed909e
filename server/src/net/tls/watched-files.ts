// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { messageOf, SpoorError } from '@spoor/core/model/errors.ts';
import { fileProblem } from '#net/file-problem.ts';
import type { Logger } from '#net/logger.ts';

/** Certificates, keys and lists of tokens are far smaller. */
const MAX_FILE_BYTES = 4 << 20;

/** Contents of files, by the name of the key that says where they are; those that are not set are missing. */
export type FileContents = Readonly<Partial<Record<string, Buffer>>>;

/** What is read from files, and how often. */
export interface WatchedFilesOptions<T> {
  /** Path of the section in the configuration, with which errors and log lines begin. */
  readonly name: string;
  /** What the files are together, such as `certificate`. */
  readonly what: string;
  /** Path of each file, by the name of its key; an empty one is not set. */
  readonly paths: Readonly<Record<string, string>>;
  /** Pause after which they are read again, in ms; 0: never. */
  readonly reloadIntervalMs: number;
  /** Makes the value of them. @throws {SpoorError} config */
  readonly parse: (contents: FileContents) => T;
  /** Told the value in use at the start and at each look. */
  readonly onLook?: (value: T) => void;
  readonly logger: Logger;
}

/** How often files have changed since the start. */
export interface ReloadFigures {
  /** Times that a new value was taken. */
  readonly reloads: number;
  /** Times that the files had changed to something that could not be used. */
  readonly failedReloads: number;
}

/**
 * A value made of files, and made anew when what is in them changes; where that fails the value stays as it was.
 *
 * The files are read and compared, not watched: a volume of Kubernetes changes by a link two folders up, and one over the
 * network changes with no event at all.
 */
export class WatchedFiles<T> {
  readonly #options: WatchedFilesOptions<T>;
  #value: T | undefined;
  #digest = '';
  #reloads = 0;
  #failedReloads = 0;
  /** What failed at the last look, and at how many in a row. */
  #failed = { what: '', looks: 0 };
  #timer: NodeJS.Timeout | undefined;
  #isStopped = false;

  constructor(options: WatchedFilesOptions<T>) {
    this.#options = options;
  }

  /** The newest value that could be made. @throws {SpoorError} internal: not started */
  get value(): T {
    if (this.#value === undefined) {
      throw new SpoorError('internal', `${this.#options.name}: not started`);
    }
    return this.#value;
  }

  /** The same, or undefined before it was made. */
  get known(): T | undefined {
    return this.#value;
  }

  get figures(): ReloadFigures {
    return { reloads: this.#reloads, failedReloads: this.#failedReloads };
  }

  /**
   * Reads the files for the first time.
   * @throws {SpoorError} config: one cannot be read, or they are not what they should be
   */
  async start(): Promise<void> {
    const contents = await this.#read();
    this.#value = this.#options.parse(contents);
    this.#digest = digestOf(contents);
    this.#options.onLook?.(this.#value);
    if (this.#options.reloadIntervalMs > 0) this.#schedule();
  }

  /** Reads them again now. Never rejects: what is wrong twice in a row is logged and counted. */
  async reload(): Promise<void> {
    await this.#reload();
    if (this.#value !== undefined) this.#options.onLook?.(this.#value);
  }

  async #reload(): Promise<void> {
    const { name, what, parse, logger } = this.#options;
    let digest = '';
    try {
      const contents = await this.#read();
      digest = digestOf(contents);
      if (digest === this.#digest || this.#isStopped) {
        this.#failed = { what: '', looks: 0 };
        return;
      }
      this.#value = parse(contents);
    } catch (error) {
      const problem = messageOf(error);
      const failed = `${digest} ${problem}`;
      const looks = failed === this.#failed.what ? this.#failed.looks + 1 : 1;
      this.#failed = { what: failed, looks };
      // Between two files that are written one after the other, what is seen once need not be wrong. Told once.
      if (looks !== 2) return;
      this.#failedReloads++;
      logger.error({ problem }, `${name}: the new ${what} cannot be used; the old one stays`);
      return;
    }
    this.#digest = digest;
    this.#failed = { what: '', looks: 0 };
    this.#reloads++;
    logger.info({}, `${name}: ${what} has changed`);
  }

  /** Reads no more. Safe before start and more than once. */
  shutdown(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
  }

  #schedule(): void {
    if (this.#isStopped) return;
    this.#timer = setTimeout(() => {
      void this.reload().then(() => this.#schedule());
    }, this.#options.reloadIntervalMs);
    this.#timer.unref();
  }

  async #read(): Promise<FileContents> {
    const contents: Record<string, Buffer> = {};
    for (const [key, path] of Object.entries(this.#options.paths)) {
      if (path !== '') contents[key] = await this.#readOne(key, path);
    }
    return contents;
  }

  async #readOne(key: string, path: string): Promise<Buffer> {
    const where = `${this.#options.name}.${key}`;
    let bytes: Buffer;
    try {
      bytes = await readFile(path);
    } catch (error) {
      // The error itself would say the same a second time in the log.
      throw new SpoorError('config', `${where}: ${fileProblem(path, error)}`);
    }
    if (bytes.length > MAX_FILE_BYTES) {
      const message = `${where}: ${path} has ${bytes.length} > ${MAX_FILE_BYTES} bytes`;
      throw new SpoorError('config', message);
    }
    return bytes;
  }
}

function digestOf(contents: FileContents): string {
  const hash = createHash('sha256');
  for (const [key, bytes] of Object.entries(contents)) {
    hash.update(`${key}:${bytes?.length}\n`).update(bytes ?? '');
  }
  return hash.digest('hex');
}
