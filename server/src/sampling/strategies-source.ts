// SPDX-License-Identifier: Apache-2.0
import { messageOf } from '@spoor/core/model/errors.ts';
import type { Logger } from '#net/logger.ts';
import type { ClientTls } from '#net/tls/client-tls.ts';
import { type SamplingStrategies, type SamplingStrategy, strategyOf } from './sampling-strategy.ts';
import { parseStrategies } from './strategies-file.ts';
import { StrategiesLocation } from './strategies-location.ts';

/** Where strategies come from. */
export interface StrategiesSourceOptions {
  /** Path or `http(s)` address of a strategies file; empty: there is none. */
  readonly location: string;
  /** For an `https` address; left out: as Node does it. */
  readonly tls?: ClientTls | undefined;
  /** Pause after which it is looked at again, in ms; 0: never. */
  readonly reloadIntervalMs: number;
  /** Where the file says nothing, 0 to 1. */
  readonly defaultProbability: number;
  readonly logger: Logger;
}

/** The sampling strategies of this moment: from a file or a server, read again as time goes by. */
export class StrategiesSource {
  readonly #options: StrategiesSourceOptions;
  readonly #location: StrategiesLocation;
  #strategies: SamplingStrategies;
  /** What was read last, so that only changes count. */
  #text: string | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isStopped = false;
  /** What the log said last, so that it says the same only once. */
  #problem: string | undefined;

  constructor(options: StrategiesSourceOptions) {
    this.#options = options;
    this.#location = new StrategiesLocation(options.location, options.tls);
    this.#strategies = parseStrategies('null', options.defaultProbability, () => undefined);
  }

  /** The strategy of a service. */
  strategyOf(service: string): SamplingStrategy {
    return strategyOf(this.#strategies, service);
  }

  /** The strategies as a file that says the same to another process. */
  get file(): object {
    const param = this.#options.defaultProbability;
    // It was read as such a file.
    const own = JSON.parse(this.#text ?? 'null') as { default_strategy?: unknown } | null;
    return { ...own, default_strategy: own?.default_strategy ?? { type: 'probabilistic', param } };
  }

  /**
   * Reads the strategies for the first time. A server that does not answer is asked again: an agent starts before its
   * collector as well.
   * @throws {SpoorError} config: a file cannot be read, or is not what it should be
   */
  async start(): Promise<void> {
    const { location, reloadIntervalMs } = this.#options;
    if (location === '') return;
    await this.#location.start();
    if (this.#location.isAddress && reloadIntervalMs > 0) await this.#reloadQuietly();
    else {
      await this.reload();
      if (reloadIntervalMs > 0) this.#schedule();
    }
  }

  shutdown(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    this.#location.shutdown();
  }

  /** Reads the strategies again; where that fails, those of before stay. @throws {SpoorError} as {@link start} */
  async reload(): Promise<void> {
    const { location, defaultProbability, logger } = this.#options;
    const text = await this.#location.read();
    if (text === this.#text) return;
    this.#strategies = parseStrategies(text, defaultProbability, (problem) => {
      logger.warn({ location, problem }, 'sampling: part of the strategies does not count');
    });
    const isFirst = this.#text === undefined;
    this.#text = text;
    const services = this.#strategies.byService.size;
    logger.info(
      { location, services },
      `sampling: strategies ${isFirst ? 'read' : 'have changed'}`,
    );
  }

  #schedule(): void {
    this.#timer = setTimeout(() => void this.#reloadQuietly(), this.#options.reloadIntervalMs);
    this.#timer.unref();
  }

  async #reloadQuietly(): Promise<void> {
    try {
      await this.reload();
      this.#problem = undefined;
    } catch (error) {
      const problem = messageOf(error);
      if (problem !== this.#problem) {
        const { location, logger } = this.#options;
        logger.warn({ location, problem }, 'sampling: strategies stay as they were');
        this.#problem = problem;
      }
    }
    if (!this.#isStopped) this.#schedule();
  }
}
