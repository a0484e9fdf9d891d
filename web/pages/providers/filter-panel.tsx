import type { ComponentChildren, JSX } from 'preact';
import { useSignal } from '@preact/signals';
import type { Filter } from '../../../src/client/index.js';
import { formats } from '../../model/formats.js';
import { Choices } from './choices.js';
import type { Offers } from './use-offers.js';
import { FactFilters } from './fact-filters.js';
import { PriceLimit } from './price-limit.js';
import { NumberField, TextListField } from './fields.js';

export interface FilterPanelProps {
  readonly filter: Filter;
  readonly offers: Offers;
  readonly onChange: (filter: Filter) => void;
}

/** All conditions of a filter, in collapsible groups. */
export function FilterPanel({ filter, offers, onChange }: FilterPanelProps): JSX.Element {
  const set = (part: Partial<Record<keyof Filter, unknown>>): void => {
    const given = Object.entries({ ...filter, ...part }).filter(([, value]) => value !== undefined);
    onChange(Object.fromEntries(given));
  };
  const least = (
    name: 'cpu' | 'memory' | 'storage',
    title: string,
    unit: string,
    max: number,
  ): JSX.Element => (
    <NumberField
      label={title}
      unit={unit}
      min={1}
      max={max}
      value={filter[name]}
      onChange={(value) => set({ [name]: value })}
    />
  );
  const only = (
    name: 'status' | 'verified' | 'ip_confirmed',
    value: 'live' | true,
    title: string,
  ): JSX.Element => (
    <label class="check">
      <input
        type="checkbox"
        checked={filter[name] === value}
        onChange={({ currentTarget }) => set({ [name]: currentTarget.checked ? value : undefined })}
      />
      {title}
    </label>
  );
  return (
    <form class="filters" aria-label="Filter conditions" onSubmit={(event) => event.preventDefault()}>
      <Group title="Size" isOpen>
        {least('cpu', 'At least', 'cores', 4096)}
        {least('memory', 'At least', 'GB memory', 65_536)}
        {least('storage', 'At least', 'GB disk', 10_000_000)}
      </Group>
      <Group title="Price per month" isOpen>
        <PriceLimit
          market={offers.prices}
          value={filter.max_usd_per_month}
          onChange={(value) => set({ max_usd_per_month: value })}
        />
        <NumberField
          label="At most"
          unit="GLM"
          min={0}
          step="any"
          value={filter.max_glm_per_month}
          onChange={(value) => set({ max_glm_per_month: value })}
        />
      </Group>
      <Group title="Country" isOpen count={filter.country?.length}>
        <Choices
          label="In one of these countries"
          offers={offers.countries}
          chosen={filter.country ?? []}
          textOf={formats.country}
          onChange={(country) => set({ country })}
        />
      </Group>
      <Group title="Not in" count={filter.not_country?.length}>
        <Choices
          label="In none of these countries"
          offers={offers.countries}
          chosen={filter.not_country ?? []}
          textOf={formats.country}
          onChange={(country) => set({ not_country: country })}
        />
      </Group>
      <Group title="Platform" count={filter.platform?.length}>
        <Choices
          label="On one of these platforms"
          offers={offers.platforms}
          chosen={filter.platform ?? []}
          onChange={(platform) => set({ platform })}
        />
      </Group>
      <Group title="Trust" isOpen={filter.status !== undefined || filter.verified === true}>
        {only('status', 'live', 'Live')}
        {only('verified', true, 'Signed')}
        {only('ip_confirmed', true, 'Address confirmed')}
      </Group>
      <Group
        title="GPUs, further resources, attributes"
        count={Object.keys(filter.min ?? {}).length + Object.keys(filter.attributes ?? {}).length}
      >
        <FactFilters filter={filter} offers={offers} set={set} />
      </Group>
      <Group
        title="Payments and exceptions"
        count={(filter.payments_network?.length ?? 0) + (filter.exclude?.length ?? 0)}
      >
        <TextListField
          label="Payment networks"
          value={filter.payments_network}
          onChange={(payments_network) => set({ payments_network })}
        />
        <TextListField
          label="Exclude these provider ids"
          value={filter.exclude}
          onChange={(exclude) => set({ exclude })}
        />
      </Group>
    </form>
  );
}

interface GroupProps {
  readonly title: string;
  readonly isOpen?: boolean;
  /** Number of active conditions in the group. */
  readonly count?: number | undefined;
  readonly children: ComponentChildren;
}

/** A collapsible group. Its content is rendered when it is first opened. */
function Group({ title, isOpen = false, count = 0, children }: GroupProps): JSX.Element {
  const wasOpened = useSignal(false);
  const isNeeded = isOpen || count > 0;
  return (
    <details
      class="group"
      open={isNeeded}
      onToggle={({ currentTarget }) => {
        if (currentTarget.open) wasOpened.value = true;
      }}
    >
      <summary>
        {title}
        {count > 0 && <span class="count">{formats.count(count)}</span>}
      </summary>
      {(isNeeded || wasOpened.value) && <div class="group-content">{children}</div>}
    </details>
  );
}
