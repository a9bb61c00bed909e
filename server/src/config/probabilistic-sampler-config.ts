// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';

/** `processors.probabilistic_sampler` */
export const probabilisticSamplerSchema = z
  .strictObject({
    sampling_percentage: z
      .number()
      .min(0)
      .max(100)
      .describe('Share of traces that is kept, in percent; all spans of a trace are kept or none.'),
    mode: z
      .enum(['proportional', 'equalizing'])
      .default('proportional')
      .describe(
        'What becomes of traces that were sampled before: proportional keeps the percentage of them, equalizing only lowers what is above the percentage.',
      ),
    sampling_precision: z
      .int()
      .min(1)
      .max(14)
      .default(4)
      .describe('Hexadecimal digits of the threshold that is written into the trace state.'),
    keep_debug: z
      .boolean()
      .default(true)
      .describe(
        "Whether spans that were asked for by hand are all kept: Jaeger's and Zipkin's debug flag, a sampling.priority above 0.",
      ),
    keep_errors: z
      .boolean()
      .default(false)
      .describe('Whether spans with status ERROR are all kept, without the rest of their trace.'),
  })
  .describe("Keeps a share of the traces, by OpenTelemetry's consistent probability sampling.");
export type ProbabilisticSamplerConfig = z.output<typeof probabilisticSamplerSchema>;
