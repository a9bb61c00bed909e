// SPDX-License-Identifier: Apache-2.0
import { quote } from '@spoor/core/model/errors.ts';
import { isSection, keysIn, valueIn, withValue, type Section } from '../config-tree.ts';
import { componentType } from '../named-components.ts';
import { OWN_METRICS } from './reasons.ts';
import type { V2Rewriter } from './v2-rewriter.ts';

/**
 * Takes the counting of spans out of a file: the connector `spanmetrics`, the pipelines of metrics behind it, and the exporters
 * of these. There are no other connectors.
 */
export function dropSpanMetrics(rewriter: V2Rewriter): void {
  const connectors = valueIn(rewriter.tree, 'connectors');
  if (!isSection(connectors) || !isSection(rewriter.tree)) return;
  const dropped = Object.keys(connectors).filter((id) => componentType(id) === 'spanmetrics');
  for (const id of Object.keys(connectors)) {
    if (dropped.includes(id)) rewriter.ignore(['connectors', id], OWN_METRICS);
    else rewriter.refuse(['connectors', id], `Spoor has no connector ${quote(id)}`);
  }
  const { connectors: _gone, ...tree } = rewriter.tree;
  rewriter.tree = tree;
  const kept: Record<string, unknown> = {};
  for (const pipeline of keysIn(tree, 'service', 'pipelines')) {
    const at = ['service', 'pipelines', pipeline];
    const list = (kind: string): unknown[] => {
      const value = valueIn(tree, ...at, kind);
      return Array.isArray(value) ? value : [];
    };
    const isBehind = list('receivers').some((id) => dropped.includes(String(id)));
    if (isBehind && componentType(pipeline) === 'metrics') {
      for (const id of list('exporters')) dropExporter(rewriter, String(id));
    } else {
      const exporters = list('exporters').filter((id) => !dropped.includes(String(id)));
      kept[pipeline] = { ...(valueIn(tree, ...at) as Section), exporters };
    }
  }
  rewriter.tree = withValue(rewriter.tree, ['service', 'pipelines'], kept);
}

function dropExporter(rewriter: V2Rewriter, id: string): void {
  const exporters = valueIn(rewriter.tree, 'exporters');
  if (!isSection(exporters) || !Object.hasOwn(exporters, id)) return;
  rewriter.ignore(['exporters', id], 'metrics are on the port of telemetry.health, at /metrics');
  const { [id]: _gone, ...others } = exporters;
  rewriter.tree = withValue(rewriter.tree, ['exporters'], others);
}
