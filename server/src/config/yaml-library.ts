// SPDX-License-Identifier: Apache-2.0
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

/** The library that reads YAML. It is loaded with the first text that needs it: a start without a file has none and saves 18 ms. */
export function loadYaml(): typeof import('yaml') {
  // What this name stands for.
  return require('yaml') as typeof import('yaml');
}
