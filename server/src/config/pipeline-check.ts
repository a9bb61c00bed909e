// SPDX-License-Identifier: Apache-2.0
import { quote } from '@spoor/core/model/errors.ts';
import { EXPORTER_SCHEMAS, PROCESSOR_SCHEMAS, RECEIVER_SCHEMAS } from './component-schemas.ts';
import type { SpoorConfig } from './config.ts';
import type { ConfigProblem } from './config-problem.ts';
import type { ConfigOverride } from './config-source.ts';
import { componentType } from './named-components.ts';
import { nearestName } from './suggest.ts';

const TYPES = {
  receivers: Object.keys(RECEIVER_SCHEMAS),
  processors: Object.keys(PROCESSOR_SCHEMAS),
  exporters: Object.keys(EXPORTER_SCHEMAS),
} as const;

/** What pipelines name and is not configured, or is named twice in one list. */
export function checkPipelines(config: SpoorConfig): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  for (const [pipeline, lists] of Object.entries(config.service.pipelines)) {
    for (const kind of ['receivers', 'processors', 'exporters'] as const) {
      const configured = Object.keys(config[kind]);
      for (const [i, id] of lists[kind].entries()) {
        const path = ['service', 'pipelines', pipeline, kind, String(i)];
        if (!configured.includes(id))
          problems.push({ path, message: missing(kind, id, configured) });
        else if (lists[kind].indexOf(id) < i) {
          problems.push({ path, message: `${quote(id)} is named twice` });
        }
      }
    }
  }
  return problems;
}

/** Those of `settings` that are of a receiver, processor or exporter which no pipeline uses. */
export function findUnused(
  config: SpoorConfig,
  settings: readonly ConfigOverride[],
): { readonly name: string; readonly component: string }[] {
  const pipelines = Object.values(config.service.pipelines);
  return settings.flatMap(({ name, path: [kind = '', id = ''] }) => {
    if (kind !== 'receivers' && kind !== 'processors' && kind !== 'exporters') return [];
    const isUsed = pipelines.some((lists) => lists[kind].includes(id));
    return isUsed ? [] : [{ name, component: `${kind}.${id}` }];
  });
}

function missing(kind: keyof typeof TYPES, id: string, configured: readonly string[]): string {
  const type = componentType(id);
  const near = nearestName(id, configured);
  const hints: string[] = [];
  if (near !== undefined) hints.push(`did you mean ${near}?`);
  if (type !== undefined && TYPES[kind].includes(type)) {
    hints.push(`${near === undefined ? '' : 'Else '}give it a section ${kind}.${id}`);
  } else if (near === undefined) {
    const known = configured.length > 0 ? configured : TYPES[kind];
    const whose = configured.length > 0 ? `${kind} has` : 'there are';
    hints.push(`${whose}: ${known.length > 0 ? known.join(', ') : 'none yet'}`);
  }
  return `${quote(id)} is not configured; ${hints.join(' ')}`;
}
