// SPDX-License-Identifier: Apache-2.0
import { Link, Outlet, useMatchRoute } from '@tanstack/react-router';
import { useRef } from 'react';
import styles from './app.module.css';
import controls from './controls.module.css';
import { Logo } from './icons.tsx';
import { ShortcutsDialog } from './shortcuts-dialog.tsx';
import { TraceLookup } from './trace-lookup.tsx';
import { useShortcuts } from './use-shortcuts.ts';

/** The frame of every page: the top bar, and the page below. */
export function App() {
  const dialog = useRef<HTMLDialogElement>(null);
  const lookup = useRef<HTMLInputElement>(null);
  const onSearchPage = useMatchRoute()({ to: '/search' }) !== false;
  useShortcuts({
    '?': () => dialog.current?.showModal(),
    '/': () => (onSearchPage ? false : lookup.current?.focus()),
  });
  return (
    <>
      <a className={styles['skip']} href="#main">
        Skip to content
      </a>
      <header className={styles['bar']}>
        <Link to="/search" className={styles['brand']} aria-label="Spoor: search traces">
          <Logo />
          <span>Spoor</span>
        </Link>
        <nav aria-label="Pages">
          <Link to="/search" className={styles['page']}>
            Search
          </Link>
          <Link to="/dependencies" className={styles['page']}>
            Dependencies
          </Link>
        </nav>
        <TraceLookup ref={lookup} />
        <button
          type="button"
          className={`${controls['icon']} ${styles['help']}`}
          aria-label="Keyboard shortcuts"
          title="Keyboard shortcuts (?)"
          onClick={() => dialog.current?.showModal()}
        >
          ?
        </button>
      </header>
      <main id="main" className={styles['main']} tabIndex={-1}>
        <Outlet />
      </main>
      <ShortcutsDialog ref={dialog} />
    </>
  );
}
