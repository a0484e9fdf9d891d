import { effect, signal } from '@preact/signals';

export type Theme = 'system' | 'light' | 'dark';

const THEME = 'vm-discovery.theme';

/** The stored theme. Browsers that block storage throw. */
function stored(): Theme {
  try {
    const theme = localStorage.getItem(THEME);
    return theme === 'light' || theme === 'dark' ? theme : 'system';
  } catch {
    return 'system';
  }
}

/** The colour theme; `system` follows the operating system. */
export const theme = signal<Theme>(stored());

effect(() => {
  document.documentElement.dataset['theme'] = theme.value;
  try {
    localStorage.setItem(THEME, theme.value);
  } catch {
    // Without storage, the choice lasts until the page closes.
  }
});

/** Whether the viewport is too narrow for full tables. */
export const isNarrow = signal(false);

const narrow = matchMedia('(width < 760px)');
isNarrow.value = narrow.matches;
narrow.addEventListener('change', ({ matches }) => {
  isNarrow.value = matches;
});
