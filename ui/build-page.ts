// SPDX-License-Identifier: Apache-2.0
import { fileURLToPath } from 'node:url';
import { build } from 'vite';

/**
 * Builds the page for production.
 * @param directory to write to; what is in it is removed.
 */
export async function buildPage(directory: string): Promise<void> {
  await build({
    root: import.meta.dirname,
    configFile: fileURLToPath(new URL('vite.config.ts', import.meta.url)),
    logLevel: 'warn',
    build: { outDir: directory, emptyOutDir: true },
  });
}
