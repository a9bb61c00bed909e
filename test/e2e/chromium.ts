// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

const CHROMIUM = '/usr/bin/chromium';

/** Why there is no browser here; undefined where there is one. */
export const missingChromium = existsSync(CHROMIUM)
  ? undefined
  : `${CHROMIUM} is not installed (Debian: apt-get install chromium)`;

/** Why a test is left out; in CI a missing browser fails it instead. */
export const skipWithoutChromium = process.env['CI'] === undefined && (missingChromium ?? false);

/** Starts Chromium without a window and without a GPU. */
export function launchChromium(): Promise<Browser> {
  return chromium.launch({
    executablePath: CHROMIUM,
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}
