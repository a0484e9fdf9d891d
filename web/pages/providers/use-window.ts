import { useEffect, useLayoutEffect, useReducer, useRef } from 'preact/hooks';
import {
  elementScroll,
  observeElementOffset,
  observeElementRect,
  Virtualizer,
  type VirtualItem,
} from '@tanstack/virtual-core';

/** The part of a long table that is in view. */
export interface Window {
  readonly items: readonly VirtualItem[];
  /** Pixels of all rows together. */
  readonly height: number;
  readonly scrollToRow: (row: number) => void;
}

/** Rows kept ready above and below what is in view. */
const OVERSCAN = 8;

/**
 * Works out which rows of a table are in view, and draws the component anew when that changes.
 * @param scroller What scrolls.
 * @param rowHeight Pixels of one row.
 * @param headHeight Pixels that stay in view above the rows.
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
