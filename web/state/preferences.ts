import { effect, signal } from '@preact/signals';

export type Theme = 'system' | 'light' | 'dark';

const THEME = 'vm-discovery.theme';

/** Browsers that keep nothing for this page throw. */
function stored(): Theme {
  try {
    const theme = localStorage.getItem(THEME);
    return theme === 'light' || theme === 'dark' ? theme : 'system';
  } catch {
    return 'system';
  }
}

/** Dark, light, or as the system has it. */
export const theme = signal<Theme>(stored());

effect(() => {
  document.documentElement.dataset['theme'] = theme.value;
  try {
    localStorage.setItem(THEME, theme.value);
  } catch {
    // Then it holds until the page is left.
  }
});

/** Whether there is room for whole tables. */
export const isNarrow = signal(false);

const narrow = matchMedia('(width < 760px)');
isNarrow.value = narrow.matches;
narrow.addEventListener('change', ({ matches }) => {
  isNarrow.value = matches;
});
