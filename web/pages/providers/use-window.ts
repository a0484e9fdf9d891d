import type { RefObject } from 'preact';
import { useEffect, useLayoutEffect, useState } from 'preact/hooks';
import { afterPaint } from '../../state/moments.js';

/** The sizes of a table whose rows all have the same height, in pixels. */
export interface Heights {
  readonly row: number;
  /** The part of the viewport that the sticky table head covers. */
  readonly head: number;
}

/** The rows to render: first inclusive, last exclusive. */
export interface Window {
  readonly from: number;
  readonly to: number;
}

/** Extra rows rendered above and below the viewport. */
const OVERSCAN = 6;
/** How much of the browser's window the table usually takes. */
const USUAL_SHARE = 0.75;

/**
 * Tracks which rows are in the viewport and re-renders the component when they change.
 * @param scroller The scrolling element.
 */
export function useWindow(
  scroller: RefObject<HTMLElement | null>,
  count: number,
  { row, head }: Heights,
): Window {
  const [top, setTop] = useState(0);
  // Asking the browser would make it lay out the page once more, and rows out of sight can wait.
  const [height, setHeight] = useState(innerHeight * USUAL_SHARE);
  const [extra, setExtra] = useState(0);
  useEffect(
    () =>
      afterPaint(() => {
        setExtra(OVERSCAN);
      }),
    [],
  );
  useLayoutEffect(() => {
    const element = scroller.current!;
    const onScroll = (): void => {
      setTop(Math.floor(element.scrollTop / row));
    };
    const observer = new ResizeObserver(([entry]) => {
      setHeight(entry!.contentRect.height);
      onScroll();
    });
    observer.observe(element);
    element.addEventListener('scroll', onScroll, { passive: true });
    return () => {
      observer.disconnect();
      element.removeEventListener('scroll', onScroll);
    };
  }, [scroller, row]);
  const visible = Math.ceil(Math.max(0, height - head) / row) + 1;
  const last = Math.max(0, count - visible);
  const first = Math.min(top, last);
  return { from: Math.max(0, first - extra), to: Math.min(count, first + visible + extra) };
}

/** Scrolls as little as it takes to show a row. */
export function scrollToRow(scroller: HTMLElement, index: number, { row, head }: Heights): void {
  const most = index * row;
  const least = most + row - (scroller.clientHeight - head);
  scroller.scrollTop = Math.min(most, Math.max(least, scroller.scrollTop));
}
