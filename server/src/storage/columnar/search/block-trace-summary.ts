// SPDX-License-Identifier: Apache-2.0
import { StatusCode } from '@spoor/core/model/span.ts';
import { formatSpanId } from '@spoor/core/model/ids.ts';
import { servicesByName } from '@spoor/core/query/summarize-trace.ts';
import type { TraceSummary } from '@spoor/core/query/trace-query.ts';
import type { SearchedBlock } from './searched-block.ts';

/** Value of the status column for the code ERROR. */
const ERROR_STATUS = 1 + StatusCode.error;

/**
 * Summary of a trace that is wholly in a block. The block knows most of it; of the rows only services, errors and the root are looked
 * at.
 * @returns undefined where several spans are without parent: only all of their columns tell which of them is the root
 */
export function summarizeBlockTrace(block: SearchedBlock, trace: number): TraceSummary | undefined {
  const { reader } = block;
  const group = reader.group(reader.groupOf(trace));
  const t = trace - reader.firstTraces[group.number]!;
  const slice = group.slice(group.traceStarts[t]!, group.traceStarts[t + 1]!);
  const { rows, resource, status, parentPlace } = slice;
  const root = parentPlace.indexOf(0);
  if (root >= 0 && parentPlace.indexOf(0, root + 1) >= 0) return undefined;
  const services = new Map<string, { spanCount: number; errorCount: number }>();
  for (let row = 0; row < rows; row++) {
    const name = reader.serviceName(resource[row]!);
    let service = services.get(name);
    if (service === undefined) services.set(name, (service = { spanCount: 0, errorCount: 0 }));
    service.spanCount++;
    if (status[row] === ERROR_STATUS) service.errorCount++;
  }
  const {
    startTimeUnixNano,
    endTimeUnixNano,
    spanCount,
    errorCount,
    rootServiceName,
    rootSpanName,
  } = block.factsOf(trace);
  return {
    traceId: group.traceIdAt(t),
    startTimeUnixNano,
    endTimeUnixNano,
    spanCount,
    errorCount,
    rootSpanId: root < 0 ? '' : formatSpanId(slice.spanId, root * 8),
    rootServiceName,
    rootSpanName,
    services: servicesByName(services),
  };
}
