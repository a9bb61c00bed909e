// SPDX-License-Identifier: Apache-2.0
import { useLayoutEffect, useRef } from 'react';

/** What keys do, by `KeyboardEvent.key`. A handler that returns false leaves the key to the browser. */
export type Shortcuts = Readonly<Record<string, (event: KeyboardEvent) => boolean | void>>;

/**
 * Listens for keys on the whole page while the component is shown. Keys with Ctrl, Alt or Meta,
 * keys typed into a field, and all keys while a dialog is open are left alone.
 */
export function useShortcuts(shortcuts: Shortcuts): void {
  const current = useRef(shortcuts);
  // Before what is shown is seen: a key that is pressed then counts.
  useLayoutEffect(() => {
    current.current = shortcuts;
  });
  useLayoutEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey) return;
      if (isTyping(event.target) || document.querySelector('dialog[open]') !== null) return;
      if (!Object.hasOwn(current.current, event.key)) return;
      if (current.current[event.key]?.(event) !== false) event.preventDefault();
    };
    document.addEventListener('keydown', onKeyDown);
    return () => document.removeEventListener('keydown', onKeyDown);
  }, []);
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.closest('input, select, textarea') !== null;
}

/** Whether the focus is on a button, link or the like, which has its own use for Enter and arrows. */
export function isOnControl(event: KeyboardEvent): boolean {
  const { target } = event;
  return (
    target instanceof HTMLElement &&
    target.closest('a, button, summary, [role="separator"]') !== null
  );
}
