// SPDX-License-Identifier: Apache-2.0
import type { Logger } from '#telemetry/logger.ts';
import type { Components } from './components.ts';
import { isListener, type Part } from './part.ts';
import { componentError, listenerError, samplingError, storeError } from './start-error.ts';
import { addressesOf, type Addresses } from './status.ts';

/** Time that running requests have to finish, in ms. */
const DRAIN_MS = 6_000;
/** Time until exporters are done as well, since the stop began; with the store's own end it stays below 10 s. */
const EXPORT_MS = 8_000;

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
      graph,
      strategies,
      tokens,
      sampling,
      api,
      rssGuard,
      process: figures,
    } = this.#components;
    let opening: Promise<void> | undefined;
    try {
      // A start that fails for these leaves the store alone.
      for (const part of tokens) await startPart(part);
      // Its files are read, and its threads begin, while the first ports are opened.
      opening = store?.start();
      // Whatever it comes to is looked at below.
      opening?.catch(() => undefined);
      figures.start();
      rssGuard.start();
      // Before all that takes long, so that a probe hears "starting" and not nothing.
      if (health !== undefined) await startPart(health);
      try {
        await strategies.start();
      } catch (error) {
        throw samplingError(error);
      }
      try {
        await opening;
      } catch (error) {
        throw storeError(error);
      }
      if (store !== undefined) graph.recall(store.recentRequests());
      // What is written to before what writes to it.
      for (const part of [...graph.exporters, ...graph.receivers, ...sampling])
        await startPart(part);
      if (api !== undefined) await startPart(api);
    } catch (error) {
      await Promise.allSettled([opening]);
      await this.shutdown();
      throw error;
    }
    // A stop that was asked for meanwhile has the last word.
    if (this.#stopped === undefined) this.#components.readiness.setReady();
    return addressesOf(this.#components.listeners());
  }

  /**
   * Ends everything without losing what was taken: probes hear 503, listeners close, running
   * requests finish (or are cut after six seconds), exporters send what they hold, then the store makes all of it durable.
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
      graph,
      strategies,
      tokens,
      sampling,
      api,
      rssGuard,
      process: figures,
      readiness,
    } = this.#components;
    readiness.setDraining();
    const startMs = performance.now();
    await this.#stopAll([...graph.receivers, ...sampling, api], DRAIN_MS);
    await Promise.all([
      this.#attempt('decoding', () => graph.decoding.shutdown()),
      this.#stopAll(graph.exporters, EXPORT_MS - (performance.now() - startMs)),
    ]);
    strategies.shutdown();
    await this.#stopAll(tokens, 0);
    await this.#attempt('storage', async () => {
      await store?.shutdown();
    });
    await this.#stopAll([health], 1000);
    rssGuard.shutdown();
    figures.shutdown();
  }

  async #stopAll(parts: readonly (Part | undefined)[], deadlineMs: number): Promise<void> {
    await Promise.all(
      parts.map((part) =>
        this.#attempt(part?.path ?? '', async () => {
          await part?.shutdown(deadlineMs);
        }),
      ),
    );
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

async function startPart(part: Part): Promise<void> {
  try {
    await part.start();
  } catch (error) {
    throw isListener(part)
      ? listenerError(part.path, part.endpoint, error)
      : componentError(part.path, error);
  }
}
