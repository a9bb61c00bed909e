// SPDX-License-Identifier: Apache-2.0
/**
 * `node scripts/cached.js ./NAME.ts` runs a script beside this file with its compiled code kept between runs. It is JavaScript since
 * Node loads a compiler of its own, for 60 ms of CPU, with the first TypeScript that is not in that cache.
 */
import { enableCompileCache } from 'node:module';

enableCompileCache();
await import(process.argv[2]);
