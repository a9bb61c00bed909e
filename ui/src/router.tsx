// SPDX-License-Identifier: Apache-2.0
import { createRootRoute, createRoute, createRouter, redirect } from '@tanstack/react-router';
import { App } from '#components/app.tsx';
import { CrashPage, UnknownPage } from '#components/fault-pages.tsx';
import { formatDependencySort, parseDependencySort } from '#model/dependency.ts';
import { formatSearchState, lookbackUs, parseSearchState } from '#model/search-params.ts';
import { DependenciesPage } from '#pages/dependencies/dependencies-page.tsx';
import { SearchPage } from '#pages/search/search-page.tsx';
import { TracePage } from '#pages/trace/trace-page.tsx';

/** Query string of the trace page. */
export interface TraceSearch {
  /** Id of the span whose detail is open. */
  span?: string | undefined;
  /** Collapsed spans, see `fold-state.ts`. */
  fold?: string | undefined;
}

const rootRoute = createRootRoute({
  component: App,
  notFoundComponent: UnknownPage,
  errorComponent: CrashPage,
});

const indexRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/',
  beforeLoad: () => {
    // The way of the router to redirect.
    // eslint-disable-next-line typescript/only-throw-error
    throw redirect({ to: '/search', replace: true });
  },
});

const searchRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/search',
  validateSearch: (params: Record<string, unknown>): Record<string, string> =>
    formatSearchState(parseSearchState(params)),
  component: SearchPage,
});

const traceRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/trace/$traceId',
  validateSearch: ({ span, fold }: Record<string, unknown>): TraceSearch => ({
    ...(typeof span === 'string' && span !== '' ? { span } : {}),
    ...(typeof fold === 'string' && fold !== '' ? { fold } : {}),
  }),
  component: TracePage,
});

/** Query string of the list of dependencies. */
interface DependenciesSearch {
  /** Such as `6h`. */
  lookback?: string | undefined;
  /** Column, with a minus sign before it for the largest first. */
  sort?: string | undefined;
}

const dependenciesRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/dependencies',
  validateSearch: ({ lookback, sort }: Record<string, unknown>): DependenciesSearch => {
    const order = typeof sort === 'string' ? formatDependencySort(parseDependencySort(sort)) : '';
    return {
      ...(typeof lookback === 'string' && lookbackUs(lookback) !== undefined ? { lookback } : {}),
      ...(order === '' ? {} : { sort: order }),
    };
  },
  component: DependenciesPage,
});

/** The pages by URL. All values in the query string are plain texts. */
export function createAppRouter() {
  return createRouter({
    routeTree: rootRoute.addChildren([indexRoute, searchRoute, traceRoute, dependenciesRoute]),
    parseSearch: (text) => Object.fromEntries(new URLSearchParams(text)),
    stringifySearch: (search: Record<string, unknown>) => {
      const params = new URLSearchParams();
      for (const [name, value] of Object.entries(search)) {
        if (typeof value === 'string') params.set(name, value);
      }
      // Commas need no escape in a query string, and links are read by people.
      const text = params.toString().replaceAll('%2C', ',');
      return text === '' ? '' : `?${text}`;
    },
    scrollRestoration: true,
    getScrollRestorationKey: (location) => location.href,
  });
}

declare module '@tanstack/react-router' {
  interface Register {
    router: ReturnType<typeof createAppRouter>;
  }
  interface HistoryState {
    /** Where "Back to results" leads: the search that a trace was opened from. */
    searchHref?: string;
    /** Whether this page of a result was reached from the one before it. */
    paged?: boolean;
  }
}
