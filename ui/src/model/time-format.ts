// SPDX-License-Identifier: Apache-2.0

/** `2026-11-23 14:03:22.123` in the reader's own time zone. */
export function formatLocalTime(epochUs: number): string {
  return `${formatLocalDate(epochUs)} ${formatLocalClock(epochUs)}`;
}

/** `2026-11-23` in the reader's own time zone. */
export function formatLocalDate(epochUs: number): string {
  const date = new Date(epochUs / 1000);
  return `${date.getFullYear()}-${pad(date.getMonth() + 1, 2)}-${pad(date.getDate(), 2)}`;
}

/** `14:03:22.123` in the reader's own time zone. */
export function formatLocalClock(epochUs: number): string {
  const date = new Date(epochUs / 1000);
  const clock = [date.getHours(), date.getMinutes(), date.getSeconds()].map((n) => pad(n, 2));
  return `${clock.join(':')}.${pad(date.getMilliseconds(), 3)}`;
}

/** `2026-11-23 06:03:22.123 UTC`. */
export function formatUtcTime(epochUs: number): string {
  const date = new Date(epochUs / 1000);
  if (Number.isNaN(date.getTime())) return '–';
  return `${date.toISOString().slice(0, 23).replace('T', ' ')} UTC`;
}

/** How long ago, in the largest unit that fits: `just now`, `3 min ago`, `2 d ago`, `in 5 min`. */
export function formatAge(epochUs: number, nowUs: number): string {
  const seconds = Math.round((nowUs - epochUs) / 1e6);
  const size = Math.abs(seconds);
  if (size < 5) return 'just now';
  const [count, unit] =
    size < 60
      ? [size, 's']
      : size < 3600
        ? [Math.floor(size / 60), 'min']
        : size < 86_400
          ? [Math.floor(size / 3600), 'h']
          : [Math.floor(size / 86_400), 'd'];
  return seconds < 0 ? `in ${count} ${unit}` : `${count} ${unit} ago`;
}

/** Text for an `<input type="datetime-local" step="1">`, in the reader's own time zone. */
export function formatDateTimeInput(epochUs: number): string {
  return formatLocalTime(epochUs).replace(' ', 'T').slice(0, 19);
}

/** Epoch µs of what such an input holds, or undefined when it is empty or half filled. */
export function parseDateTimeInput(text: string): number | undefined {
  const ms = Date.parse(text);
  return text === '' || Number.isNaN(ms) ? undefined : ms * 1000;
}

function pad(value: number, digits: number): string {
  return String(value).padStart(digits, '0');
}
