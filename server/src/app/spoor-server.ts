// SPDX-License-Identifier: Apache-2.0
import type { Logger } from '#telemetry/logger.ts';
import type { Components, Listener } from './components.ts';
import { listenError, samplingError, storeError } from './start-error.ts';
import { addressesOf, type Addresses } from './status.ts';

/** Time that running requests have to finish, in ms; with the store's own end it stays below 10 s. */
const DRAIN_MS = 6_000;

/** All components of one process, started and shut down in their order. */
export class SpoorServer {
  readonly #components: Components;
  readonly #logger: Logger;
  #stopped: Promise<void> | undefined;

  constructor(components: Components, logger: Logger) {
    this.#components = components;
    this.#logger = logger;
  }

  /**
   * Starts everything; resolves when requests are taken. When a part fails, those before it are
   * shut down again.
   * @throws {StartError}
   */
  async start(): Promise<Addresses> {
    const {
      health,
      store,
      ingest,
      receivers,
      strategies,
      sampling,
      api,
      rssGuard,
      process: figures,
    } = this.#components;
    try {
      figures.start();
      rssGuard.start();
      // First, so that a probe hears "starting" and not nothing.
      if (health !== undefined) await listen(health);
      try {
        await strategies.start();
      } catch (error) {
        throw samplingError(error);
      }
      try {
        await store.start();
      } catch (error) {
        throw storeError(error);
      }
      ingest.recall(store.recentRequests());
      for (const receiver of receivers) await listen(receiver);
      for (const listener of sampling) await listen(listener);
      if (api !== undefined) await listen(api);
    } catch (error) {
      await this.shutdown();
      throw error;
    }
    // A stop that was asked for meanwhile has the last word.
    if (this.#stopped === undefined) this.#components.readiness.setReady();
    return addressesOf(this.#components.listeners());
  }

  /**
   * Ends everything without losing what was taken: probes hear 503, listeners close, running
   * requests finish (or are cut after six seconds), then the store makes all of it durable.
   * Never rejects; may be called at any time and more than once.
   */
  shutdown(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<void> {
    const {
      health,
      store,
      receivers,
      strategies,
      sampling,
      api,
      rssGuard,
      process: figures,
      readiness,
    } = this.#components;
    readiness.setDraining();
    await Promise.all(
      [...receivers, ...sampling, api].map((listener) =>
        this.#attempt(listener?.path ?? '', async () => {
          await listener?.shutdown(DRAIN_MS);
        }),
      ),
    );
    strategies.shutdown();
    await this.#attempt('storage', () => store.shutdown());
    await this.#attempt(health?.path ?? '', async () => {
      await health?.shutdown(1000);
    });
    rssGuard.shutdown();
    figures.shutdown();
  }

  // One part that fails to end must not keep the next ones from it.
  async #attempt(path: string, end: () => Promise<void>): Promise<void> {
    try {
      await end();
    } catch (error) {
      this.#logger.error({ err: error, part: path }, 'a part failed to shut down');
    }
  }
}

async function listen(listener: Listener): Promise<void> {
  try {
    await listener.start();
  } catch (error) {
    throw listenError(`${listener.path}.endpoint`, listener.endpoint, error);
  }
}
