import type { JSX } from 'preact';
import { useId } from 'preact/hooks';

export interface NumberFieldProps {
  readonly label: string;
  readonly unit: string;
  readonly min: number;
  readonly max?: number;
  readonly step?: number | 'any';
  readonly value: number | undefined;
  /** Called with a valid value, or undefined if the field is empty. */
  readonly onChange: (value: number | undefined) => void;
}

/** An optional number. Invalid input stays in the field, marked by the browser, and adds no condition. */
export function NumberField({
  label,
  unit,
  min,
  max,
  step = 1,
  value,
  onChange,
}: NumberFieldProps): JSX.Element {
  return (
    <label class="field">
      <span>{label}</span>
      <input
        type="number"
        inputMode={step === 'any' ? 'decimal' : 'numeric'}
        min={min}
        max={max}
        step={step}
        value={value ?? ''}
        onInput={({ currentTarget }) => {
          const { value: text, validity } = currentTarget;
          if (validity.valid) onChange(text === '' ? undefined : Number(text));
        }}
      />
      <span>{unit}</span>
    </label>
  );
}

export interface TextListFieldProps {
  readonly label: string;
  readonly value: readonly string[] | undefined;
  readonly options?: readonly string[];
  readonly onChange: (value: string[] | undefined) => void;
}

/** A comma-separated list, applied on blur. */
export function TextListField({ label, value, options = [], onChange }: TextListFieldProps): JSX.Element {
  const list = useId();
  return (
    <label class="field field-text">
      <span>{label}</span>
      <input
        type="text"
        list={list}
        placeholder="with commas between them"
        value={(value ?? []).join(', ')}
        onChange={({ currentTarget }) => {
          const texts = currentTarget.value.split(',').map((text) => text.trim());
          const given = texts.filter((text) => text !== '');
          onChange(given.length === 0 ? undefined : given);
        }}
      />
      <datalist id={list}>
        {options.map((option) => (
          <option key={option} value={option} />
        ))}
      </datalist>
    </label>
  );
}
