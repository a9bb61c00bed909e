// SPDX-License-Identifier: Apache-2.0
import { resolve } from 'node:path';
import { EXIT } from '#cli/cli-error.ts';
import type { SpoorConfig } from '#config/config.ts';
import { createLogger } from '#telemetry/logger.ts';
import { readVersion } from '#telemetry/version.ts';
import { setV8Flags } from '#v8-settings.ts';
import { formatBanner } from './banner.ts';
import { buildComponents } from './components.ts';
import { SpoorServer } from './spoor-server.ts';
import { StartError } from './start-error.ts';

/** After this time an end that hangs is cut, in ms. */
const SHUTDOWN_LIMIT_MS = 9_500;

/** The store belongs to this process alone. */
const STORED_UNSEEN =
  'spans are stored here, where no other process reads them: set query.http.enabled=true to show them, or service.pipelines.traces.exporters to send them on';

/** What {@link serve} needs of the command line. */
export interface ServeSurroundings {
  readonly err: (text: string) => void;
}

/**
 * Runs the server until SIGTERM or SIGINT.
 * @returns the exit code: 0 after a clean end, 1 when it could not start
 */
export async function serve(config: SpoorConfig, surroundings: ServeSurroundings): Promise<number> {
  setV8Flags();
  const logger = createLogger(config.telemetry.log_level);
  const version = readVersion();
  const components = buildComponents(config, logger, version);
  const server = new SpoorServer(components, logger);
  const { type, directory: configured } = config.storage;
  const directory =
    components.store === undefined || type === 'memory' ? undefined : resolve(configured);
  const stop = Promise.withResolvers<void>();
  let signalled = false;
  let limit: NodeJS.Timeout | undefined;
  const onSignal = (signal: NodeJS.Signals): void => {
    if (signalled) {
      logger.warn({ signal }, 'second signal: ending at once');
      process.exit(EXIT.failed);
    }
    signalled = true;
    logger.info({ signal }, 'stopping: finishing the requests under way');
    limit = setTimeout(() => {
      logger.error({ limitMs: SHUTDOWN_LIMIT_MS }, 'shutdown took too long and was cut');
      process.exit(EXIT.failed);
    }, SHUTDOWN_LIMIT_MS);
    stop.resolve();
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
  try {
    const started = server.start();
    // A stop while starting is obeyed too: what is up already is shut down.
    const addresses = await Promise.race([started, stop.promise]);
    if (addresses === undefined) {
      await started.catch(() => undefined);
    } else {
      logger.info({ version, addresses, directory }, 'spoor is ready');
      if (components.store !== undefined && components.api === undefined) {
        logger.warn({ directory }, STORED_UNSEEN);
      }
      if (process.stderr.isTTY) {
        const storedIn = directory ?? (components.store && 'memory, until it stops');
        surroundings.err(formatBanner(version, addresses, storedIn));
      }
    }
    await stop.promise;
    await server.shutdown();
    logger.info({}, 'stopped');
    return EXIT.ok;
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    logger.error({ err: error.cause }, error.message);
    surroundings.err(`spoor: ${error.message}\n`);
    return EXIT.failed;
  } finally {
    clearTimeout(limit);
    process.off('SIGTERM', onSignal);
    process.off('SIGINT', onSignal);
  }
}
