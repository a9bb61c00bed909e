#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
import { enableCompileCache } from 'node:module';

// The command. It is JavaScript since Node loads a compiler of its own with the first TypeScript that is not in this cache, for 60 ms
// of CPU, and the process begins twice: see start-settings.ts.
enableCompileCache();
await import('../src/main.ts');
