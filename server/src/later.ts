// SPDX-License-Identifier: Apache-2.0

/** Calls an action once, after a time, unless the function it returns is called before. */
export type Later = (action: () => void, delayMs: number) => () => void;

/** By a timer that does not keep the process alive. */
export const afterTimeout: Later = (action, delayMs) => {
  const timer = setTimeout(action, delayMs).unref();
  return () => clearTimeout(timer);
};
