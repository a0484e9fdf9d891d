import { useEffect } from 'preact/hooks';
import { type Signal, useSignal } from '@preact/signals';
import type { HubPoint, VitalsShown } from '../../../src/client/index.js';
import { followHub } from '../../state/hub.js';

/** The hub's vitals as last received. */
export interface HubVitals {
  /** The last 15 minutes, oldest first. */
  readonly points: readonly HubPoint[];
  readonly shows: VitalsShown;
  readonly intervalMs: number;
}

/** Follows the hub's vitals while the component is mounted. */
export function useVitals(): Signal<{ vitals: HubVitals | null; refusal: string | null }> {
  const state = useSignal<{ vitals: HubVitals | null; refusal: string | null }>({
    vitals: null,
    refusal: null,
  });
  useEffect(() => {
    const { watch, end } = followHub();
    watch.on('change', (points) => {
      const { shows, intervalSeconds } = watch;
      if (shows === null || intervalSeconds === null) return;
      state.value = { vitals: { points, shows, intervalMs: intervalSeconds * 1000 }, refusal: null };
    });
    watch.on('state', ({ state: now, error }) => {
      if (now === 'refused') state.value = { vitals: null, refusal: error?.message ?? 'the hub refused' };
    });
    return end;
  }, []);
  return state;
}
