// SPDX-License-Identifier: Apache-2.0
import { AttributeLevel } from '@spoor/core/model/attributes.ts';
import { RowSet } from '@spoor/core/query/row-set.ts';
import type {
  AttributesProcessorConfig,
  ResourceProcessorConfig,
} from '#config/attributes-processor-config.ts';
import { createAction } from './attribute-action.ts';
import { AttributesEdit, type EditedPlaces } from './attributes-edit.ts';
import { ChangingProcessor } from './changing-processor.ts';
import type { ProcessorParts } from './downstream.ts';
import { RowCopier } from './row-copier.ts';
import { SpanMatcher } from './span-matcher.ts';

/**
 * Changes, removes, hashes and hides attributes. A batch in which nothing changes goes on as it is.
 * @param actionsKey where the actions are in the configuration
 * @throws {SpoorError} config: a pattern is not understood
 */
export function createAttributesProcessor(
  config: AttributesProcessorConfig,
  parts: ProcessorParts,
  actionsKey = 'actions',
): ChangingProcessor {
  const path = `processors.${parts.name}`;
  const actions = config.actions.map((action, i) =>
    createAction(`${path}.${actionsKey}.${i}`, action),
  );
  const places: EditedPlaces = {
    levels: new Set(
      (['span', 'event', 'link'] as const)
        .filter((place) => config.apply_to.includes(place))
        .map((place) => AttributeLevel[place]),
    ),
    resources: config.apply_to.includes('resource'),
  };
  const isForAll = config.include === undefined && config.exclude === undefined;
  const matcher = isForAll ? undefined : SpanMatcher.ofPair(path, config);
  const copier = new RowCopier();
  return new ChangingProcessor(parts, (batch) => {
    const edit = new AttributesEdit(batch, actions, places);
    const meant = matcher?.select(batch);
    const isChanged = (row: number): boolean => meant?.has(row) !== false && edit.changes(row);
    let row = 0;
    while (row < batch.rows && !isChanged(row)) row++;
    if (row === batch.rows) return batch;
    return copier.edit(batch, RowSet.all(batch.rows), (at) =>
      meant?.has(at) === false ? undefined : edit,
    );
  });
}

/** One for resources, by the collector's `resource` processor. */
export function createResourceProcessor(
  { attributes: actions }: ResourceProcessorConfig,
  parts: ProcessorParts,
): ChangingProcessor {
  return createAttributesProcessor({ actions, apply_to: ['resource'] }, parts, 'attributes');
}
