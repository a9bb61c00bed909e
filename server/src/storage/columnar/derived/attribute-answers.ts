// SPDX-License-Identifier: Apache-2.0
import { AttributeNameSum, AttributeValueSum, rowsInWindow } from '#storage/attribute-sums.ts';
import type {
  AttributeCounts,
  AttributeName,
  AttributeQuery,
  AttributeText,
  AttributeValuesQuery,
} from '#storage/tracestore.ts';
import type { BlockReader } from '../block/block-reader.ts';
import { ROUGH_SLACK_NANOS } from '../head/head-batch.ts';
import type { TraceSources } from '../search/trace-sources.ts';
import { addBlockNames, addBlockValues } from './block-attributes.ts';
import type { DerivedAnswers } from './derived-answers.ts';

/** Names of attributes over blocks and head. Blocks that touch the window are counted as a whole. */
export function attributeNames(
  derived: DerivedAnswers,
  sources: TraceSources,
  query: AttributeQuery,
  checkCancelled: () => void,
): AttributeCounts<AttributeName> {
  const sum = new AttributeNameSum(query);
  const ofBlock = (reader: BlockReader): void => addBlockNames(reader, sum);
  addAll(derived, sources, { query, sum, ofBlock }, checkCancelled);
  return sum.result();
}

/** Values of an attribute over blocks and head. Blocks that touch the window are counted as a whole. */
export function attributeValues(
  derived: DerivedAnswers,
  sources: TraceSources,
  query: AttributeValuesQuery,
  checkCancelled: () => void,
): AttributeCounts<AttributeText> {
  const sum = new AttributeValueSum(query);
  const ofBlock = (reader: BlockReader): void => addBlockValues(reader, sum, checkCancelled);
  addAll(derived, sources, { query, sum, ofBlock }, checkCancelled);
  return sum.result();
}

function addAll(
  derived: DerivedAnswers,
  sources: TraceSources,
  {
    query,
    sum,
    ofBlock,
  }: {
    readonly query: AttributeQuery;
    readonly sum: AttributeNameSum | AttributeValueSum;
    readonly ofBlock: (reader: BlockReader) => void;
  },
  checkCancelled: () => void,
): void {
  const min = Number(query.startMinUnixNano) - ROUGH_SLACK_NANOS;
  const max = Number(query.startMaxUnixNano) + ROUGH_SLACK_NANOS;
  for (const block of sources.blocks) {
    checkCancelled();
    if (block.maxStart < min || block.minStart > max) continue;
    sources.withBlock(block, (reader) => {
      sum.cover(reader.minStartUnixNano, reader.maxStartUnixNano);
      ofBlock(reader);
    });
  }
  for (const { batch, rows } of derived.headRows(sources, checkCancelled)) {
    sum.addRows(batch, rowsInWindow(batch, rows, query));
  }
}
