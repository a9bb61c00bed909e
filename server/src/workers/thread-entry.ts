// SPDX-License-Identifier: Apache-2.0
import { workerData } from 'node:worker_threads';
import { findOwnModules } from '#own-modules.ts';
import { collectWhenCalled } from './collector.ts';
import type { WorkerThreadData } from './worker-thread.ts';

// What each thread begins with. The modules that it is for are found by the hook, which takes 50 ms of CPU off its start.
findOwnModules();
collectWhenCalled();
// It is started by one client only.
const { script } = workerData as WorkerThreadData;
await import(script);
