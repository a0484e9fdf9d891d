import type { JSX } from 'preact';
import { useSignal } from '@preact/signals';

/** How long the button shows the outcome, in milliseconds. */
const SAID_MS = 2000;

/** Copies a text. If the browser refuses, the button says so. */
export function CopyButton({
  text,
  of,
  label = 'Copy',
}: {
  text: string;
  of: string;
  label?: string;
}): JSX.Element {
  const said = useSignal<string | null>(null);
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(text);
      said.value = 'Copied';
    } catch {
      said.value = copyBySelecting(text) ? 'Copied' : 'Copy failed';
    }
    setTimeout(() => {
      said.value = null;
    }, SAID_MS);
  };
  return (
    <button type="button" class="copy" aria-label={`${label} ${of}`} onClick={() => void copy()}>
      <span aria-live="polite">{said.value ?? label}</span>
    </button>
  );
}

/** Fallback for pages without TLS, where browsers hide `navigator.clipboard`. */
function copyBySelecting(text: string): boolean {
  const area = document.createElement('textarea');
  area.value = text;
  area.className = 'off-screen';
  document.body.append(area);
  area.select();
  // eslint-disable-next-line @typescript-eslint/no-deprecated -- Browsers keep it, and offer pages without TLS nothing else.
  const isCopied = document.execCommand('copy');
  area.remove();
  return isCopied;
}
