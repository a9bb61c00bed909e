// SPDX-License-Identifier: Apache-2.0
import type { SpanBatch } from '@spoor/core/model/span-batch.ts';
import { symbolText } from '@spoor/core/model/span-reader.ts';
import { StatusCode } from '@spoor/core/model/span.ts';
import { RowSet } from '@spoor/core/query/row-set.ts';
import type { SpanPredicate } from '@spoor/core/query/trace-query.ts';
import type { ProbabilisticSamplerConfig } from '#config/probabilistic-sampler-config.ts';
import { ChangingProcessor } from './changing-processor.ts';
import type { ProcessorParts } from './downstream.ts';
import { RowCopier } from './row-copier.ts';
import { SamplingDecision, type SamplingRule } from './sampling-decision.ts';
import { SpanMatcher } from './span-matcher.ts';
import { TraceStateEdit } from './trace-state-edit.ts';

/**
 * Keeps a share of the traces: all spans of one, or none, whichever process they pass. The random value is in the trace id
 * (or in the trace state, `rv`), the threshold that was used goes into the trace state (`th`), so that samplers one after
 * the other do the right thing and counts can be scaled up.
 * @see https://opentelemetry.io/docs/specs/otel/trace/tracestate-probability-sampling/
 */
export function createProbabilisticSampler(
  config: ProbabilisticSamplerConfig,
  parts: ProcessorParts,
): ChangingProcessor {
  const sampler = new BatchSampler(config, `processors.${parts.name}`);
  return new ChangingProcessor(parts, (batch) => sampler.sample(batch), 'not_sampled');
}

class BatchSampler {
  readonly #rule: SamplingRule;
  readonly #kept: SpanMatcher | undefined;
  readonly #unwanted: SpanMatcher;
  readonly #copier = new RowCopier();

  constructor(config: ProbabilisticSamplerConfig, path: string) {
    this.#rule = {
      probability: config.sampling_percentage / 100,
      mode: config.mode,
      precision: config.sampling_precision,
    };
    const kept: SpanPredicate[] = [];
    if (config.keep_debug) kept.push(...DEBUG);
    if (config.keep_errors) kept.push(HAS_ERROR);
    if (kept.length > 0) this.#kept = new SpanMatcher(path, { op: 'or', args: kept });
    this.#unwanted = new SpanMatcher(path, UNWANTED);
  }

  sample(batch: SpanBatch): SpanBatch | undefined {
    const edit = new TraceStateEdit(batch);
    const decisions: (SamplingDecision | undefined)[] = [];
    const without = new SamplingDecision('', this.#rule);
    const always = this.#kept?.select(batch);
    const unwanted = this.#unwanted.select(batch);
    const rows = new RowSet(batch.rows);
    /** By row, where it changes. */
    const states: (Uint8Array | undefined)[] = [];
    for (let row = 0; row < batch.rows; row++) {
      // Kept whatever their trace id: their number needs no scaling.
      if (always?.has(row) === true) {
        rows.add(row);
        continue;
      }
      if (unwanted.has(row)) continue;
      const entry = edit.entryOf(row);
      const decision =
        entry < 0
          ? without
          : (decisions[entry] ??= new SamplingDecision(
              symbolText(batch.values, entry),
              this.#rule,
            ));
      const state = decision.of(batch.traceId, row);
      if (state === undefined) continue;
      rows.add(row);
      if (state === null) continue;
      states[row] = state;
    }
    if (states.length === 0) return this.#copier.keep(batch, rows);
    return this.#copier.edit(batch, rows, (row) => {
      const state = states[row];
      if (state === undefined) return undefined;
      edit.traceState = state;
      return edit;
    });
  }
}

const HAS_ERROR: SpanPredicate = {
  op: 'eq',
  field: { kind: 'intrinsic', name: 'status' },
  value: { type: 'int', value: BigInt(StatusCode.error) },
};

const PRIORITY = { kind: 'attribute', scope: 'span', key: 'sampling.priority' } as const;

/** Numbers below 16 with the bit 2, which means debug among Jaeger's flags; it has four of them. */
const JAEGER_DEBUG_FLAGS = [2, 3, 6, 7, 10, 11, 14, 15];

/** Spans that somebody asked for by hand. */
const DEBUG: readonly SpanPredicate[] = [
  { op: 'gt', field: PRIORITY, value: { type: 'int', value: 0n } },
  {
    op: 'eq',
    field: { kind: 'attribute', scope: 'span', key: 'zipkin.debug' },
    value: { type: 'bool', value: true },
  },
  ...JAEGER_DEBUG_FLAGS.map((flags): SpanPredicate => ({
    op: 'eq',
    field: { kind: 'attribute', scope: 'span', key: 'jaeger.flags' },
    value: { type: 'int', value: BigInt(flags) },
  })),
];

/** Spans that somebody does not want, by OpenTracing's convention, which the collector's sampler knows as well. */
const UNWANTED: SpanPredicate = { op: 'eq', field: PRIORITY, value: { type: 'int', value: 0n } };
