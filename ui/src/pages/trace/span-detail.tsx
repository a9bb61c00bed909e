// SPDX-License-Identifier: Apache-2.0
import { type ReactNode, useMemo } from 'react';
import controls from '#components/controls.module.css';
import { CopyButton } from '#components/copy-button.tsx';
import { CloseIcon, ErrorIcon, WarningIcon } from '#components/icons.tsx';
import { type AttributeGroup, groupAttributes } from '#model/attribute-groups.ts';
import { formatDuration } from '#model/duration.ts';
import { serviceHue } from '#model/service-colour.ts';
import { formatLocalTime, formatUtcTime } from '#model/time-format.ts';
import { type Trace, findValue, parentReference } from '#model/trace.ts';
import { AttributeTable } from './attribute-table.tsx';
import { SpanEvents } from './span-events.tsx';
import { SpanLinks } from './span-links.tsx';
import { spanProblems } from './trace-warnings.tsx';
import styles from './span-detail.module.css';

/** Attributes of Jaeger's form that are fields of the span, and shown as such above the table. */
const FIELD_KEYS = new Set([
  'span.kind',
  'otel.status_code',
  'otel.status_description',
  'otel.scope.name',
  'otel.scope.version',
  'w3c.tracestate',
]);

/** Everything about one span, in a panel beside the waterfall. */
export function SpanDetail({
  trace,
  row,
  onClose,
  onSelect,
}: {
  trace: Trace;
  row: number;
  onClose: () => void;
  onSelect: (row: number) => void;
}) {
  const span = trace.spans[row]!;
  const process = trace.processes[row]!;
  const { tree } = trace;
  const groups = useMemo(
    () => groupAttributes(span.tags.filter(({ key }) => !FIELD_KEYS.has(key))),
    [span],
  );
  const resource = useMemo(() => groupAttributes(process.tags), [process]);
  const warnings = [...spanProblems(tree.problems[row]!), ...span.warnings];
  const parentLink = parentReference(span, trace.traceId);
  const links = span.references.filter((reference) => reference !== parentLink);
  const parent = tree.parent[row]!;
  const children = tree.childOffsets[row + 1]! - tree.childOffsets[row]!;
  const scope = [
    findValue(span.tags, 'otel.scope.name'),
    findValue(span.tags, 'otel.scope.version'),
  ]
    .filter((part) => part !== undefined && part !== '')
    .join(' ');
  const startUs = trace.startUs + trace.offsetUs[row]!;
  return (
    <aside
      className={styles['panel']}
      aria-label="Span detail"
      style={{ '--hue': serviceHue(process.serviceName) }}
    >
      <header className={styles['head']}>
        <div>
          <p className={styles['service']}>
            <i /> {process.serviceName}
          </p>
          <h2>{span.operationName}</h2>
        </div>
        <button
          type="button"
          className={controls['icon']}
          aria-label="Close detail"
          title="Close (Esc)"
          onClick={onClose}
        >
          <CloseIcon />
        </button>
      </header>

      <dl className={styles['facts']}>
        <Fact name="Duration">{formatDuration(trace.durationUs[row]!)}</Fact>
        <Fact name="Start">
          <span title={`${formatLocalTime(startUs)}\n${formatUtcTime(startUs)}`}>
            +{formatDuration(trace.offsetUs[row]!)}
          </span>
        </Fact>
        <Fact name="Kind">{findValue(span.tags, 'span.kind') ?? 'internal'}</Fact>
        <Fact name="Status">
          <Status trace={trace} row={row} />
        </Fact>
        {scope !== '' && <Fact name="Scope">{scope}</Fact>}
        <Fact name="Parent">
          {parent < 0 ? (
            'none'
          ) : (
            <button type="button" className={controls['text']} onClick={() => onSelect(parent)}>
              {trace.spans[parent]!.operationName}
            </button>
          )}
        </Fact>
        <Fact name="Children">{children.toLocaleString('en')}</Fact>
        <Fact name="Span id">
          {span.spanID} <CopyButton text={span.spanID} what="span id" />
        </Fact>
        {findValue(span.tags, 'w3c.tracestate') !== undefined && (
          <Fact name="Trace state">{findValue(span.tags, 'w3c.tracestate')}</Fact>
        )}
      </dl>

      {warnings.length > 0 && (
        <ul className={styles['warnings']} aria-label="Warnings">
          {warnings.map((warning) => (
            <li key={warning}>
              <WarningIcon /> <span>{warning}</span>
            </li>
          ))}
        </ul>
      )}

      <Section
        title="Attributes"
        count={groups.reduce((sum, { attributes }) => sum + attributes.length, 0)}
      >
        <AttributeGroups groups={groups} />
      </Section>
      <Section title="Events" count={span.logs.length}>
        <SpanEvents logs={span.logs} spanStartUs={startUs} />
      </Section>
      <Section title="Links" count={links.length}>
        <SpanLinks links={links} trace={trace} onSelect={onSelect} />
      </Section>
      <Section title="Resource" count={process.tags.length}>
        <AttributeGroups groups={resource} />
      </Section>
    </aside>
  );
}

function AttributeGroups({ groups }: { groups: readonly AttributeGroup[] }) {
  return groups.map(({ namespace, attributes }) => (
    <AttributeTable
      key={namespace}
      namespace={namespace === '' && groups.length > 1 ? 'other' : namespace}
      attributes={attributes}
    />
  ));
}

function Status({ trace, row }: { trace: Trace; row: number }) {
  const { tags } = trace.spans[row]!;
  const message = findValue(tags, 'otel.status_description');
  if (trace.isError[row] === 1) {
    return (
      <span className={styles['error']}>
        <ErrorIcon /> error{message !== undefined && `: ${message}`}
      </span>
    );
  }
  return <>{findValue(tags, 'otel.status_code')?.toLowerCase() ?? 'unset'}</>;
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

/** A part of the panel that can be closed; absent when it is empty. */
function Section({
  title,
  count,
  children,
}: {
  title: string;
  count: number;
  children: ReactNode;
}) {
  if (count === 0) return null;
  return (
    <details className={styles['section']} open>
      <summary>
        <h3>{title}</h3> <span>{count.toLocaleString('en')}</span>
      </summary>
      {children}
    </details>
  );
}
