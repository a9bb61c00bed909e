// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';

/** Schema of a list of ids; whether they are configured is checked in `pipeline-check.ts`. */
function ids(what: string) {
  return z.array(z.string()).describe(what);
}

/** `service.pipelines` by type: there is one, of traces. */
export const PIPELINE_SCHEMAS = {
  traces: z
    .strictObject({
      receivers: ids('Receivers whose spans go through it.').min(1),
      processors: ids('What happens to the spans, in this order.').default([]),
      exporters: ids(
        'Where the spans go: to each of these, and a sender is answered when all have them.',
      ).min(1),
    })
    .describe('A way of spans from receivers to exporters.'),
};
