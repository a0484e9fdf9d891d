import type { JSX } from 'preact';
import { useRef } from 'preact/hooks';
import { useSignal } from '@preact/signals';
import { formats } from '../../model/formats.js';

/** A value to choose and the number of providers that have it. */
export interface Offer {
  readonly value: string;
  readonly providers: number;
}

export interface ChoicesProps {
  readonly label: string;
  readonly offers: readonly Offer[];
  readonly chosen: readonly string[];
  textOf?: (value: string) => string;
  readonly onChange: (chosen: string[] | undefined) => void;
}

/** Lists of at least this many values get a search field. */
const SEARCHED_FROM = 9;

/** A multiple choice of offered values, most frequent first. Chosen values stay listed when nobody offers them any more. */
export function Choices({ label, offers, chosen, textOf = String, onChange }: ChoicesProps): JSX.Element {
  const search = useSignal('');
  // Those come first, so that whoever follows a link sees them; a click moves nothing.
  const chosenAtFirst = useRef(chosen).current;
  const isFirst = ({ value }: Offer): boolean => chosenAtFirst.includes(value);
  const gone = chosen.filter((value) => !offers.some((offer) => offer.value === value));
  const all: readonly Offer[] = [
    ...gone.map((value) => ({ value, providers: 0 })),
    ...offers.filter(isFirst),
    ...offers.filter((offer) => !isFirst(offer)),
  ];
  const wanted = search.value.trim().toLowerCase();
  const found = all.filter(
    ({ value }) => value.toLowerCase() === wanted || textOf(value).toLowerCase().includes(wanted),
  );
  const toggle = (value: string): void => {
    const next = chosen.includes(value) ? chosen.filter((other) => other !== value) : [...chosen, value];
    onChange(next.length === 0 ? undefined : next);
  };
  return (
    <fieldset class="choices">
      <legend class="off-screen">{label}</legend>
      {all.length >= SEARCHED_FROM && (
        <input
          type="search"
          aria-label={`Find: ${label}`}
          placeholder="Find …"
          value={search.value}
          onInput={({ currentTarget }) => {
            search.value = currentTarget.value;
          }}
        />
      )}
      <div class="choices-list">
        {found.map(({ value, providers }) => (
          <label key={value} class="check">
            <input type="checkbox" checked={chosen.includes(value)} onChange={() => toggle(value)} />
            <bdi>{textOf(value)}</bdi>
            <span class="check-count">{formats.count(providers)}</span>
          </label>
        ))}
        {found.length === 0 && (
          <p class="hint">{all.length === 0 ? 'Nothing on offer yet.' : 'No matches.'}</p>
        )}
      </div>
    </fieldset>
  );
}
