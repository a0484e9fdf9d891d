import type { JSX } from 'preact';
import { useSignal } from '@preact/signals';
import type { Command } from '../model/commands.js';
import { CopyButton } from './copy-button.js';

/** Copyable commands, one tab per language. */
export function Commands({ commands }: { commands: readonly Command[] }): JSX.Element {
  const chosen = useSignal(0);
  const command = commands[chosen.value] ?? commands[0]!;
  return (
    <div class="commands">
      <div class="commands-head">
        <div class="segments" role="group" aria-label="Language">
          {commands.map(({ title }, index) => (
            <button
              key={title}
              type="button"
              aria-pressed={command.title === title}
              onClick={() => {
                chosen.value = index;
              }}
            >
              {title}
            </button>
          ))}
        </div>
        <CopyButton text={command.text} of={`the ${command.title} text`} />
      </div>
      <pre tabIndex={0} aria-label={command.title}>
        <code>{command.text}</code>
      </pre>
    </div>
  );
}
