// SPDX-License-Identifier: Apache-2.0
import { StatusCode } from '@spoor/core/model/span.ts';
import { formatSpanId } from '@spoor/core/model/ids.ts';
import { servicesByName } from '@spoor/core/query/summarize-trace.ts';
import type { TraceSummary } from '@spoor/core/query/trace-query.ts';
import type { TraceFacts } from '@spoor/core/query/trace-predicate.ts';
import type { BlockPart } from './loose-trace.ts';

/** Value of the status column for the code ERROR. */
const ERROR_STATUS = 1 + StatusCode.error;

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
    const group = reader.group(reader.groupOf(trace));
    const t = trace - reader.firstTraces[group.number]!;
    const slice = group.slice(group.traceStarts[t]!, group.traceStarts[t + 1]!);
    const { rows, resource, status, parentPlace } = slice;
    const root = parentPlace.indexOf(0);
    if (root >= 0) {
      if (rootSpanId !== '' || parentPlace.indexOf(0, root + 1) >= 0) return undefined;
      rootSpanId = formatSpanId(slice.spanId, root * 8);
    }
    for (let row = 0; row < rows; row++) {
      const name = reader.serviceName(resource[row]!);
      let service = services.get(name);
      if (service === undefined) services.set(name, (service = { spanCount: 0, errorCount: 0 }));
      service.spanCount++;
      if (status[row] === ERROR_STATUS) service.errorCount++;
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
