// SPDX-License-Identifier: Apache-2.0

/** Most span ids that are read from a link. */
const MAX_IDS = 1000;

/**
 * Which spans of a trace are collapsed, as it stands in the URL: `a1,b2` are these, `all` is every
 * one, and `all,a1` every one but `a1`. So both ends are short to write.
 */
export interface FoldState {
  readonly all: boolean;
  /** Span ids that differ from `all`. */
  readonly except: ReadonlySet<string>;
}

/** Reads the text of the URL; anything is accepted. */
export function parseFold(text: string): FoldState {
  const ids = text.split(',', MAX_IDS).filter((id) => id !== '');
  const all = ids[0] === 'all';
  return { all, except: new Set(all ? ids.slice(1) : ids) };
}

/** Text for the URL; empty when nothing is collapsed. */
export function formatFold({ all, except }: FoldState): string {
  return [...(all ? ['all'] : []), ...except].join(',');
}

/** Whether a span with this id is collapsed. */
export function isFolded({ all, except }: FoldState, spanId: string): boolean {
  return all !== except.has(spanId);
}

/** The state with these spans collapsed or expanded. */
export function setFolded(state: FoldState, spanIds: Iterable<string>, folded: boolean): FoldState {
  const except = new Set(state.except);
  for (const id of spanIds) {
    if (state.all === folded) except.delete(id);
    else except.add(id);
  }
  return { all: state.all, except };
}
