import type { JSX } from 'preact';
import { columnNamed, DEFAULT_COLUMNS } from '../../model/columns.js';
import { choosableColumns } from '../../model/view.js';

export interface ColumnChoiceProps {
  readonly columns: readonly string[];
  readonly attributes: readonly string[];
  readonly onChange: (columns: readonly string[]) => void;
}

/** Chooses the columns of the table. The provider column cannot be hidden. */
export function ColumnChoice({ columns, attributes, onChange }: ColumnChoiceProps): JSX.Element {
  const all = choosableColumns(columns, attributes);
  const toggle = (name: string): void => {
    const next = columns.includes(name)
      ? columns.filter((other) => other !== name)
      : all.filter((other) => other === name || columns.includes(other));
    onChange(next.length === 0 ? DEFAULT_COLUMNS : next);
  };
  return (
    <details class="popover">
      <summary>Columns</summary>
      <fieldset class="popover-content column-choice">
        <legend class="off-screen">Columns of the table</legend>
        {all.map((name) => (
          <label key={name} class="check">
            <input
              type="checkbox"
              checked={columns.includes(name)}
              disabled={name === 'provider'}
              onChange={() => toggle(name)}
            />
            {columnNamed(name)?.title}
          </label>
        ))}
        <button type="button" onClick={() => onChange(DEFAULT_COLUMNS)}>
          Reset to default
        </button>
      </fieldset>
    </details>
  );
}
