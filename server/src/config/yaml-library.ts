// SPDX-License-Identifier: Apache-2.0
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

/** The library that reads YAML. It is loaded with the first text: a start without file and `--set` has none and saves 25 ms. */
export function loadYaml(): typeof import('yaml') {
  // What this name stands for.
  return require('yaml') as typeof import('yaml');
}
