// SPDX-License-Identifier: Apache-2.0

/** A figure of a processor or exporter since its start; which component it is of is said by who collects them. */
export interface ComponentFigure {
  /** Name of the metric, such as `otelcol_exporter_sent_spans`; it always has the same labels. */
  readonly name: string;
  readonly kind: 'gauge' | 'counter';
  readonly help: string;
  readonly value: number;
  /** More labels; their values are a bounded set. */
  readonly labels?: Readonly<Record<string, string>>;
}

/** What has figures for `/metrics`. */
export interface Counting {
  figures(): Iterable<ComponentFigure>;
}
