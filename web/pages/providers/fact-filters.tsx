import type { JSX } from 'preact';
import { useId } from 'preact/hooks';
import { useSignal } from '@preact/signals';
import type { Filter } from '../../../src/client/index.js';
import { Choices } from './choices.js';
import { type Offers, useValues } from './use-offers.js';
import { NumberField } from './fields.js';

type Asked = NonNullable<Filter['attributes']>[string];

const NAME = /^[a-z][a-z0-9_]{0,31}$/;

export interface FactFiltersProps {
  readonly filter: Filter;
  readonly offers: Offers;
  readonly set: (part: Pick<Filter, 'min' | 'attributes'>) => void;
}

/** Conditions on attributes and further resources. */
export function FactFilters({ filter, offers, set }: FactFiltersProps): JSX.Element {
  const { min = {}, attributes = {} } = filter;
  const least = (name: string, value: number | undefined): void => {
    const { [name]: _, ...others } = min;
    set({ min: orNothing(value === undefined ? others : { ...others, [name]: value }) });
  };
  const ask = (name: string, asked: Asked | undefined): void => {
    const { [name]: _, ...others } = attributes;
    set({ attributes: orNothing(asked === undefined ? others : { ...others, [name]: asked }) });
  };
  const resources = [...new Set(['gpu', ...Object.keys(min)])];
  return (
    <>
      {resources.map((name) => (
        <NumberField
          key={name}
          label={`At least`}
          unit={name === 'gpu' ? 'GPUs' : name}
          min={0}
          value={min[name]}
          onChange={(value) => least(name, value)}
        />
      ))}
      {Object.entries(attributes).map(([name, asked]) => (
        <AttributeFields key={name} name={name} asked={asked} onChange={(next) => ask(name, next)} />
      ))}
      <NewFact offers={offers} addResource={(name) => least(name, 1)} addAttribute={ask} />
    </>
  );
}

function AttributeFields(props: {
  name: string;
  asked: Asked;
  onChange: (asked: Asked | undefined) => void;
}): JSX.Element {
  const { name, asked, onChange } = props;
  const title = name.replaceAll('_', ' ');
  if (Array.isArray(asked)) {
    return <ValueChoices name={name} title={title} asked={asked} onChange={onChange} />;
  }
  const set = (range: typeof asked): void =>
    onChange(range.min === undefined && range.max === undefined ? undefined : range);
  return (
    <>
      <NumberField
        label={`${title} from`}
        unit=""
        min={-Number.MAX_VALUE}
        step="any"
        value={asked.min}
        onChange={(min) => set({ ...asked, min })}
      />
      <NumberField
        label={`${title} to`}
        unit=""
        min={-Number.MAX_VALUE}
        step="any"
        value={asked.max}
        onChange={(max) => set({ ...asked, max })}
      />
    </>
  );
}

/** A choice of the attribute's offered and requested values. */
function ValueChoices(props: {
  name: string;
  title: string;
  asked: Extract<Asked, readonly unknown[]>;
  onChange: (asked: Asked | undefined) => void;
}): JSX.Element {
  const { name, title, asked, onChange } = props;
  return (
    <div>
      <p class="hint" aria-hidden="true">
        {title}
      </p>
      <Choices
        label={`${title}, one of`}
        offers={useValues(name)}
        chosen={[...new Set(asked.map(String))]}
        onChange={(values) => onChange(values?.flatMap(readings))}
      />
    </div>
  );
}

interface NewFactProps {
  readonly offers: Offers;
  readonly addResource: (name: string) => void;
  readonly addAttribute: (name: string, asked: Asked) => void;
}

/** Adds a condition: a name and a value or range, such as `RTX 4090`, `100..` or `100..500`. */
function NewFact({ offers, addResource, addAttribute }: NewFactProps): JSX.Element {
  const [names, values] = [useId(), useId()];
  const name = useSignal('');
  const wanted = useSignal('');
  const offered = useValues(offers.attributes.includes(name.value) ? name.value : '');
  const add = (): void => {
    if (!NAME.test(name.value)) return;
    const range = /^(-?[\d.]+)?\.\.(-?[\d.]+)?$/.exec(wanted.value.trim());
    if (wanted.value.trim() === '') addResource(name.value);
    else if (range === null)
      addAttribute(
        name.value,
        wanted.value
          .split(',')
          .map((text) => text.trim())
          .flatMap(readings),
      );
    else {
      const [min, max] = [range[1], range[2]].map((end) => (end === undefined ? undefined : Number(end)));
      addAttribute(name.value, {
        ...(min === undefined ? {} : { min }),
        ...(max === undefined ? {} : { max }),
      });
    }
    name.value = '';
    wanted.value = '';
  };
  return (
    <div class="new-fact">
      <input
        type="text"
        aria-label="Name of an attribute or resource"
        placeholder="gpu_model"
        list={names}
        pattern="[a-z][a-z0-9_]{0,31}"
        value={name.value}
        onInput={({ currentTarget }) => {
          name.value = currentTarget.value;
        }}
      />
      <datalist id={names}>
        {[...offers.attributes, ...offers.resources].map((option) => (
          <option key={option} value={option} />
        ))}
      </datalist>
      <input
        type="text"
        aria-label="Value, or a range such as 100..500; empty for at least one of a resource"
        placeholder="RTX 4090, or 100..500"
        list={values}
        value={wanted.value}
        onInput={({ currentTarget }) => {
          wanted.value = currentTarget.value;
        }}
        onKeyDown={(event) => {
          if (event.key === 'Enter') add();
        }}
      />
      <datalist id={values}>
        {offered.map(({ value }) => (
          <option key={value} value={value} />
        ))}
      </datalist>
      <button type="button" disabled={!NAME.test(name.value)} onClick={add}>
        Add
      </button>
    </div>
  );
}

/** All readings of a text, as in query strings: the text itself, and the number or boolean that it spells. */
function readings(text: string): (string | number | boolean)[] {
  if (text === 'true' || text === 'false') return [text, text === 'true'];
  return /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/.test(text) ? [text, Number(text)] : [text];
}

function orNothing<Members extends object>(members: Members): Members | undefined {
  return Object.keys(members).length === 0 ? undefined : members;
}
