// SPDX-License-Identifier: Apache-2.0
import { createRootRoute, createRoute, createRouter, redirect } from '@tanstack/react-router';
import { App } from '#components/app.tsx';
import { CrashPage, UnknownPage } from '#components/fault-pages.tsx';
import { formatSearchState, parseSearchState } from '#model/search-params.ts';
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

/** The pages by URL. All values in the query string are plain texts. */
export function createAppRouter() {
  return createRouter({
    routeTree: rootRoute.addChildren([indexRoute, searchRoute, traceRoute]),
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
  }
}
