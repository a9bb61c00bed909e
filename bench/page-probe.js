// SPDX-License-Identifier: Apache-2.0
/**
 * Runs inside the page, before its own scripts. `probe.shown(selector)` resolves when an element that matches has been drawn;
 * `probe.frames(seconds, scrollBy)` records what frames take. Times are in ms; those of `shown` count from the opening of the page.
 */
globalThis.probe = {
  /** When it was drawn, and when the last answer with data had come. */
  async shown(selector) {
    while (document.querySelector(selector) === null) await nextFrame();
    // What is in one frame has been drawn when the next but one begins.
    await nextFrame();
    await nextFrame();
    const answers = performance
      .getEntriesByType('resource')
      .filter(({ name }) => /\/api\/trace/.test(name));
    return { shownMs: performance.now(), answeredMs: answers.at(-1).responseEnd };
  },

  /**
   * Of each frame when it began, by the clock that all frames go by, and when all its work on the main thread was done: events,
   * scripts, layout and paint.
   * @param scrollBy px that the waterfall is scrolled by in each frame; NaN: to anywhere
   */
  async frames(seconds, scrollBy) {
    const scroller = document.querySelector('[role=tree]').parentElement;
    const frames = [];
    const channel = new MessageChannel();
    // A message is taken when the frame it was sent in is done.
    channel.port1.addEventListener('message', ({ data }) => {
      frames.push({ beginMs: data, endMs: performance.now() });
    });
    channel.port1.start();
    let place = 1;
    const end = performance.now() + seconds * 1000;
    await new Promise((resolve) => {
      const onFrame = (beginMs) => {
        if (performance.now() >= end) return resolve();
        if (scrollBy !== 0) {
          place = Number.isNaN(scrollBy)
            ? (place * 16_807) % 2_147_483_647
            : scroller.scrollTop + scrollBy;
          scroller.scrollTop = place % scroller.scrollHeight;
        }
        channel.port2.postMessage(beginMs);
        requestAnimationFrame(onFrame);
      };
      requestAnimationFrame(onFrame);
    });
    return frames;
  },
};

function nextFrame() {
  return new Promise((resolve) => {
    requestAnimationFrame(resolve);
  });
}
