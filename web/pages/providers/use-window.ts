import { useEffect, useLayoutEffect, useReducer, useRef } from 'preact/hooks';
import {
  elementScroll,
  observeElementOffset,
  observeElementRect,
  Virtualizer,
  type VirtualItem,
} from '@tanstack/virtual-core';

/** The virtualized rows of a long table. */
export interface Window {
  readonly items: readonly VirtualItem[];
  /** Height of all rows, in pixels. */
  readonly height: number;
  readonly scrollToRow: (row: number) => void;
}

/** Extra rows rendered above and below the viewport. */
const OVERSCAN = 8;

/**
 * Tracks which rows are in the viewport and re-renders the component when they change.
 * @param scroller The scrolling element.
 * @param rowHeight Height of a row, in pixels.
 * @param headHeight Height of the sticky table head, in pixels.
 */
export function useWindow(
  scroller: { readonly current: HTMLElement | null },
  count: number,
  rowHeight: number,
  headHeight: number,
): Window {
  const [, draw] = useReducer((drawn: number, _: null) => drawn + 1, 0);
  const virtualizer = useRef<Virtualizer<HTMLElement, HTMLElement> | null>(null);
  const options = {
    count,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    scrollToFn: elementScroll,
    observeElementRect,
    observeElementOffset,
    overscan: OVERSCAN,
    scrollPaddingStart: headHeight,
    onChange: () => {
      draw(null);
    },
  };
  virtualizer.current ??= new Virtualizer<HTMLElement, HTMLElement>(options);
  const present = virtualizer.current;
  present.setOptions(options);
  useLayoutEffect(() => present._didMount(), [present]);
  useLayoutEffect(() => {
    present._willUpdate();
  });
  useEffect(() => {
    present.measure();
  }, [present, rowHeight]);
  return {
    items: present.getVirtualItems(),
    height: present.getTotalSize(),
    scrollToRow: (row) => {
      present.scrollToIndex(row);
    },
  };
}
