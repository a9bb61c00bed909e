// SPDX-License-Identifier: Apache-2.0
import type { FilterProcessorConfig } from '#config/filter-processor-config.ts';
import { ChangingProcessor } from './changing-processor.ts';
import type { ProcessorParts } from './downstream.ts';
import { RowCopier } from './row-copier.ts';
import { SpanMatcher } from './span-matcher.ts';

/**
 * Drops spans that are not included, or are excluded. Their senders are told that they were taken.
 * @throws {SpoorError} config: a pattern is not understood
 */
export function createFilterProcessor(
  config: FilterProcessorConfig,
  parts: ProcessorParts,
): ChangingProcessor {
  const matcher = SpanMatcher.ofPair(`processors.${parts.name}.spans`, config.spans);
  const copier = new RowCopier();
  return new ChangingProcessor(
    parts,
    (batch) => copier.keep(batch, matcher.select(batch)),
    'filtered',
  );
}
