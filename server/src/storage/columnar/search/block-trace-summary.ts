// SPDX-License-Identifier: Apache-2.0
import { StatusByte } from '@spoor/core/model/span-columns.ts';
import { formatSpanId } from '@spoor/core/model/ids.ts';
import { servicesByName } from '@spoor/core/query/summarize-trace.ts';
import type { TraceSummary } from '@spoor/core/query/trace-query.ts';
import type { TraceFacts } from '@spoor/core/query/trace-predicate.ts';
import { chunkOf, type GroupChunk } from '../block/block-format.ts';
import { decodeCodes } from '../block/chunk-codec.ts';
import type { BlockPart } from './loose-trace.ts';
import { TraceSummaries } from './trace-summaries.ts';

/**
 * Summary of a trace whose spans are in blocks, each once. The blocks know most of it; of the rows only services, errors and the root
 * are looked at.
 * @param facts of the whole trace
 * @returns undefined where several spans are without parent: only all of their columns tell which of them is the root
 */
export function summarizeBlockTrace(
  parts: readonly BlockPart[],
  facts: TraceFacts,
): TraceSummary | undefined {
  const services = new Map<string, { spanCount: number; errorCount: number }>();
  let rootSpanId: TraceSummary['rootSpanId'] = '';
  for (const { reader, trace } of parts) {
    const g = reader.groupOf(trace);
    const { firstRows } = new TraceSummaries(reader);
    const rows = firstRows[trace + 1]! - firstRows[trace]!;
    const start = firstRows[trace]! - firstRows[reader.firstTraces[g]!]!;
    const chunk = (what: GroupChunk): Uint8Array =>
      reader.chunk(chunkOf(reader.footer.groups[g]!, what));
    const resource = decodeCodes(chunk('resource'), rows, start);
    const status = decodeCodes(chunk('status'), rows, start);
    const parentPlace = decodeCodes(chunk('parent'), rows, start);
    const root = parentPlace.indexOf(0);
    if (root >= 0) {
      if (rootSpanId !== '' || parentPlace.indexOf(0, root + 1) >= 0) return undefined;
      rootSpanId = formatSpanId(chunk('spanIds'), (start + root) * 8);
    }
    for (let row = 0; row < rows; row++) {
      const name = reader.serviceName(resource[row]!);
      let service = services.get(name);
      if (service === undefined) services.set(name, (service = { spanCount: 0, errorCount: 0 }));
      service.spanCount++;
      if (status[row] === StatusByte.error) service.errorCount++;
    }
  }
  const [{ reader, trace }] = parts as readonly [BlockPart];
  const group = reader.groupOf(trace);
  return {
    traceId: reader.group(group).traceIdAt(trace - reader.firstTraces[group]!),
    startTimeUnixNano: facts.startTimeUnixNano,
    endTimeUnixNano: facts.endTimeUnixNano,
    spanCount: facts.spanCount,
    errorCount: facts.errorCount,
    rootSpanId,
    rootServiceName: facts.rootServiceName,
    rootSpanName: facts.rootSpanName,
    services: servicesByName(services),
  };
}
