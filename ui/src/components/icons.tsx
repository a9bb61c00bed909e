// SPDX-License-Identifier: Apache-2.0
import type { ReactNode } from 'react';

function Icon({ size = 16, children }: { size?: number; children: ReactNode }) {
  return (
    <svg width={size} height={size} viewBox="0 0 16 16" fill="none" aria-hidden="true">
      {children}
    </svg>
  );
}

const STROKE = {
  stroke: 'currentColor',
  strokeWidth: 1.5,
  strokeLinecap: 'round',
  strokeLinejoin: 'round',
} as const;

/** Three bars of a waterfall that are also a trail. */
export function Logo() {
  return (
    <svg width="20" height="20" viewBox="0 0 32 32" aria-hidden="true">
      <rect x="3" y="5" width="18" height="6" rx="3" fill="#2f6fdb" />
      <rect x="9" y="13" width="14" height="6" rx="3" fill="#16a08a" />
      <rect x="15" y="21" width="14" height="6" rx="3" fill="#c58a1a" />
    </svg>
  );
}

/** The sign of an error: an octagon with an exclamation mark, never colour alone. */
export function ErrorIcon({ size = 12 }: { size?: number }) {
  return (
    <Icon size={size}>
      <path d="M5 1h6l4 4v6l-4 4H5l-4-4V5z" fill="var(--error)" />
      <path d="M8 4.2v4.6M8 11.6v.2" stroke="var(--ground)" strokeWidth="2" strokeLinecap="round" />
    </Icon>
  );
}

/** As {@link ErrorIcon}, hollow: the error is in a span that is folded away below. */
export function HiddenErrorIcon() {
  return (
    <Icon size={12}>
      <path
        d="M5.4 2h5.2L14 5.4v5.2L10.6 14H5.4L2 10.6V5.4z"
        stroke="var(--error)"
        strokeWidth="1.8"
      />
    </Icon>
  );
}

/** A triangle: something about the data deserves a look. */
export function WarningIcon() {
  return (
    <Icon size={14}>
      <path d="M8 1.8 15 14H1z" stroke="var(--warning)" strokeWidth="1.6" strokeLinejoin="round" />
      <path
        d="M8 6.4v3.4M8 11.9v.1"
        stroke="var(--warning)"
        strokeWidth="1.8"
        strokeLinecap="round"
      />
    </Icon>
  );
}

/** Points right; turned by CSS when open. */
export function ChevronIcon() {
  return (
    <Icon size={12}>
      <path d="m6 3.5 4.5 4.5L6 12.5" {...STROKE} strokeWidth={1.8} />
    </Icon>
  );
}

/** Two sheets. */
export function CopyIcon() {
  return (
    <Icon size={14}>
      <rect x="5.5" y="5.5" width="8" height="8" rx="1.5" {...STROKE} />
      <path
        d="M10.5 5.5V4A1.5 1.5 0 0 0 9 2.5H4A1.5 1.5 0 0 0 2.5 4v5A1.5 1.5 0 0 0 4 10.5h1.5"
        {...STROKE}
      />
    </Icon>
  );
}

/** Done. */
export function CheckIcon() {
  return (
    <Icon size={14}>
      <path d="m3 8.5 3.5 3.5L13 4.5" {...STROKE} strokeWidth={1.8} />
    </Icon>
  );
}

/** Away with it. */
export function CloseIcon() {
  return (
    <Icon>
      <path d="m4 4 8 8M12 4l-8 8" {...STROKE} />
    </Icon>
  );
}

/** Back to where one came from. */
export function BackIcon() {
  return (
    <Icon size={14}>
      <path d="M13 8H3M7 4 3 8l4 4" {...STROKE} />
    </Icon>
  );
}
