// SPDX-License-Identifier: Apache-2.0
import { AttributeLevel } from '@spoor/core/model/attributes.ts';
import type { Tenant } from '@spoor/core/model/ids.ts';
import type { SpanBatch } from '@spoor/core/model/span-batch.ts';
import { RowSet } from '@spoor/core/query/row-set.ts';
import type {
  AttributesProcessorConfig,
  ResourceProcessorConfig,
} from '#config/attributes-processor-config.ts';
import type { Counting } from '#pipeline/component-figures.ts';
import type { TraceSink } from '#pipeline/trace-sink.ts';
import type { RequestRecord } from '#storage/tracestore.ts';
import { type AttributeAction, createAction } from './attribute-action.ts';
import { AttributesEdit, type EditedPlaces } from './attributes-edit.ts';
import { Downstream, type ProcessorParts } from './downstream.ts';
import { RowCopier } from './row-copier.ts';
import { SpanMatcher } from './span-matcher.ts';

/** Changes, removes, hashes and hides attributes. A batch in which nothing changes goes on as it is. */
export class AttributesProcessor implements TraceSink, Counting {
  readonly #actions: readonly AttributeAction[];
  readonly #places: EditedPlaces;
  /** Undefined: all spans are changed. */
  readonly #matcher: SpanMatcher | undefined;
  readonly #downstream: Downstream;
  readonly #copier = new RowCopier();

  /** @throws {SpoorError} config: a pattern is not understood */
  constructor(config: AttributesProcessorConfig, parts: ProcessorParts, actionsKey = 'actions') {
    const path = `processors.${parts.name}`;
    this.#actions = config.actions.map((action, i) =>
      createAction(`${path}.${actionsKey}.${i}`, action),
    );
    this.#places = {
      levels: new Set(
        (['span', 'event', 'link'] as const)
          .filter((place) => config.apply_to.includes(place))
          .map((place) => AttributeLevel[place]),
      ),
      resources: config.apply_to.includes('resource'),
    };
    if (config.include !== undefined || config.exclude !== undefined) {
      this.#matcher = SpanMatcher.ofPair(path, config);
    }
    this.#downstream = new Downstream(parts);
  }

  /** One for resources, by the collector's `resource` processor. */
  static ofResources(config: ResourceProcessorConfig, parts: ProcessorParts): AttributesProcessor {
    const { attributes: actions } = config;
    return new AttributesProcessor({ actions, apply_to: ['resource'] }, parts, 'attributes');
  }

  figures(): ReturnType<Counting['figures']> {
    return this.#downstream.figures();
  }

  async write(
    tenant: Tenant,
    batch: SpanBatch,
    requests?: readonly RequestRecord[],
  ): Promise<void> {
    await this.#downstream.write(tenant, batch, this.#edit(batch), requests);
  }

  #edit(batch: SpanBatch): SpanBatch {
    const edit = new AttributesEdit(batch, this.#actions, this.#places);
    const meant = this.#matcher?.select(batch);
    const isChanged = (row: number): boolean => meant?.has(row) !== false && edit.changes(row);
    let row = 0;
    while (row < batch.rows && !isChanged(row)) row++;
    if (row === batch.rows) return batch;
    return this.#copier.edit(batch, RowSet.all(batch.rows), (at) =>
      meant?.has(at) === false ? undefined : edit,
    );
  }
}
