// What tests ask of a page, as text: tests are compiled without the types of browsers.

/** The names in the rows of the table, from top to bottom. */
export const NAMES = `[...document.querySelectorAll('.table-row')]
  .map((row) => ({ top: row.getBoundingClientRect().top, name: row.querySelector('.row-link')?.textContent ?? '' }))
  .sort((a, b) => a.top - b.top)
  .map(({ name }) => name)`;

/** Whether a change of a row can still be seen. */
export const HAS_MARKS = `document.querySelector('.is-added, .is-updated, .is-removed') !== null`;

/** Has the page keep, in \`seen\`, what is changed in the rows of the table from now on. */
export const OBSERVE_ROWS = `{
  globalThis.seen = [];
  const nameOf = (node) => node.querySelector?.('.row-link')?.textContent ?? '';
  const observer = new MutationObserver((records) => {
    for (const { type, target, addedNodes, removedNodes } of records) {
      const row = (target instanceof Element ? target : target.parentElement)?.closest('.table-row');
      if (row) seen.push(nameOf(row) + ': ' + type);
      else for (const node of [...addedNodes, ...removedNodes]) seen.push(nameOf(node) + ' came or went');
    }
  });
  const whole = { subtree: true, childList: true, attributes: true, characterData: true };
  observer.observe(document.querySelector('.table-body'), whole);
}`;
export const SEEN = 'globalThis.seen';

/** By how many pixels the page is wider than its window. */
export const OVERFLOW = 'document.documentElement.scrollWidth - innerWidth';

/** The titles, numbers and states in the table of which something is cut off. */
export const CUT_OFF = `[...document.querySelectorAll('[role=columnheader], .table-body .cell-number, .cell:has(.badge)')]
  .filter((cell) => [cell, ...cell.children].some((part) => part.scrollWidth > part.clientWidth && part.clientWidth > 0))
  .map((cell) => cell.textContent)`;

/** Which way the first provider's name runs, and where it begins. */
export const DIRECTION = `(({ direction, textAlign }) => direction + ', ' + textAlign)(
  getComputedStyle(document.querySelector('.table-body .cell')))`;

export const FOCUSED = 'document.activeElement.tagName';

/** The rules of accessibility that are broken badly, each with one place; axe has to be there. */
export const AXE_PROBLEMS = `axe.run().then(({ violations }) => violations
  .filter(({ impact }) => impact === 'serious' || impact === 'critical')
  .map(({ id, nodes }) => id + ': ' + nodes[0].html))`;
