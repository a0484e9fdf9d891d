import type { JSX } from 'preact';
import { useSignal } from '@preact/signals';

/** Milliseconds for which the button says that it is done. */
const SAID_MS = 2000;

/** Copies a text. Where the browser refuses, the button says so, and the text is there to be selected. */
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
      said.value = copyBySelecting(text) ? 'Copied' : 'Not allowed here';
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

/** Works on pages without TLS, too, as many hubs are reached: browsers hide `navigator.clipboard` from them. */
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
