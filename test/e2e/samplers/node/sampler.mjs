// SPDX-License-Identifier: Apache-2.0
// Lets Jaeger's client ask for its sampling strategy until that says yes for one operation and no for the other; says so then.
// usage: sampler.mjs HOST PORT SERVICE SAMPLED UNSAMPLED
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const { initTracer } = require('jaeger-client');
const [host, port, serviceName, sampled, unsampled] = process.argv.slice(2);
const tracer = initTracer(
  {
    serviceName,
    // At first the answers are the other way round.
    sampler: { type: 'remote', param: 0, host, port: Number(port), refreshIntervalMs: 50 },
    reporter: { agentHost: host, agentPort: 1 },
  },
  {},
);
const isSampled = (operation) => tracer.startSpan(operation).context().isSampled();
while (!isSampled(sampled) || isSampled(unsampled)) {
  await new Promise((resolve) => setTimeout(resolve, 20));
}
console.log('as told');
process.exit(0);
