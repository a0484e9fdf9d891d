import type { ComponentChildren, JSX } from 'preact';
import type { Amounts, Pricing, PublishedAdvertisement } from '../../../src/client/index.js';
import { monthlyEstimate } from '../../../src/client/index.js';
import type { PageProps } from '../page-props.js';
import { amountsOf } from '../../model/amounts.js';
import { providerCommands } from '../../model/commands.js';
import { formats } from '../../model/formats.js';
import { formatFilter, readView } from '../../model/view.js';
import { Commands } from '../../parts/commands.js';
import { CopyButton } from '../../parts/copy-button.js';
import { StatusBadge } from '../../parts/status-badge.js';
import { useAnswer } from '../../state/answers.js';
import { hub, hubNow, hubUrl } from '../../state/hub.js';
import { linkTo, place, showQuery } from '../../state/place.js';
import { NumberField } from '../providers/fields.js';
import { ProofCheck } from './proof-check.js';

/** How often its last heartbeat and its state are asked for. */
const LOOK_MS = 5000;

/** All that is known of one provider. */
export function ProviderPage({ providerId }: PageProps): JSX.Element {
  const answer = useAnswer(
    (signal) => hub.get(providerId, { signal }).then((found) => ({ found })),
    providerId,
    LOOK_MS,
  );
  const { value, problem } = answer.value;
  const back = (
    <p>
      <a href={linkTo('providers')}>All providers</a>
    </p>
  );
  if (value === null)
    return (
      <>
        {back}
        <p class={problem === null ? 'loading' : 'notice'}>{problem ?? 'Loading …'}</p>
      </>
    );
  if (value.found === null) {
    return (
      <>
        {back}
        <h1>Not listed</h1>
        <p>
          The hub knows no advertisement of <code>{providerId}</code> at the moment. It may have expired or
          been withdrawn; if it comes back, it appears here.
        </p>
      </>
    );
  }
  return (
    <article class="provider">
      {back}
      <Heading advertisement={value.found} />
      {problem !== null && (
        <p class="notice" role="status">
          {problem}
        </p>
      )}
      <div class="panels">
        <Price advertisement={value.found} />
        <Panel title="Proof">
          <ProofCheck advertisement={value.found} />
        </Panel>
        <Offer advertisement={value.found} />
        <Life advertisement={value.found} />
      </div>
      <Panel title="Use it elsewhere">
        <Commands commands={providerCommands(hubUrl, providerId)} />
      </Panel>
    </article>
  );
}

interface Props {
  readonly advertisement: PublishedAdvertisement;
}

function Heading({ advertisement: { name, provider_id: id, status } }: Props): JSX.Element {
  return (
    <header class="provider-head">
      <h1>
        <bdi>{name ?? formats.shortId(id)}</bdi>
      </h1>
      <StatusBadge status={status} />
      <p class="provider-id">
        <code>{id}</code> <CopyButton text={id} of="the provider id" />
      </p>
    </header>
  );
}

function Panel({ title, children }: { title: string; children: ComponentChildren }): JSX.Element {
  return (
    <section class="panel">
      <h2>{title}</h2>
      {children}
    </section>
  );
}

/** What is paid for a unit of, and the members that say how much. */
const UNIT_PRICES: readonly [unit: string, usd: string, glm: string][] = [
  ['A core', 'usd_per_core_month', 'glm_per_core_month'],
  ['A GB of memory', 'usd_per_gb_ram_month', 'glm_per_gb_ram_month'],
  ['A GB of disk', 'usd_per_gb_storage_month', 'glm_per_gb_storage_month'],
];
const KNOWN_PRICES = new Set(UNIT_PRICES.flat());

/** The price of each unit in both currencies, then whatever else is said about prices. */
function priceFacts(pricing: Pricing): Fact[] {
  const units = UNIT_PRICES.flatMap(([unit, usdMember, glmMember]): Fact[] => {
    const [usd, glm] = [pricing[usdMember], pricing[glmMember]];
    const said = [
      typeof usd === 'number' ? [formats.unitUsd(usd)] : [],
      typeof glm === 'number' ? [formats.unitGlm(glm)] : [],
    ].flat();
    return said.length === 0 ? [] : [[unit, said.join(' or ')]];
  });
  const further = Object.entries(pricing)
    .filter(([member]) => !KNOWN_PRICES.has(member))
    .map(([member, value]): Fact => [
      words(member),
      typeof value === 'number' ? formats.number(value) : String(value),
    ]);
  return [...units, ...further];
}

/** What it costs: for the amounts asked for, which the address holds, and for all that it offers. */
function Price({ advertisement: { pricing, resources } }: Props): JSX.Element {
  const { filter } = readView(place.value.query).view;
  const amounts = amountsOf(filter);
  const set = (part: Partial<Amounts>): void => {
    const given = Object.entries({ ...amounts, ...part }).filter(
      ([, value]) => (value as unknown) !== undefined,
    );
    showQuery(formatFilter(Object.fromEntries(given)));
  };
  const field = (name: keyof Amounts, label: string, unit: string): JSX.Element => (
    <NumberField
      label={label}
      unit={unit}
      min={1}
      value={amounts[name]}
      onChange={(value) => set({ [name]: value })}
    />
  );
  return (
    <Panel title="Price a month">
      <p class="price">{estimates(pricing, amounts)}</p>
      <div class="amounts" role="group" aria-label="For so much">
        {field('cpu', 'for', 'cores')}
        {field('memory', 'with', 'GB memory')}
        {field('storage', 'and', 'GB disk')}
      </div>
      <p class="hint">All that it offers: {estimates(pricing, resources)}</p>
      <Facts facts={priceFacts(pricing ?? {})} nothing="It says no prices." />
    </Panel>
  );
}

function estimates(pricing: Pricing | null, amounts: Amounts): string {
  const usd = monthlyEstimate(pricing, amounts, 'usd');
  const glm = monthlyEstimate(pricing, amounts, 'glm');
  const said = [usd === null ? [] : [formats.usd(usd)], glm === null ? [] : [formats.glm(glm)]].flat();
  return said.length === 0 ? 'no price' : said.join(' or ');
}

function Offer({ advertisement }: Props): JSX.Element {
  const { resources, attributes, platform, country, endpoint } = advertisement;
  const { cpu, memory, storage, ...further } = resources;
  return (
    <Panel title="What it offers">
      <Facts
        facts={[
          ['Cores', formats.count(cpu)],
          ['Memory', formats.gigabytes(memory)],
          ['Disk', formats.gigabytes(storage)],
          ...Object.entries(further).map(([name, value]): Fact => [words(name), formats.count(value)]),
          ['Country', `${formats.country(country)} (${country})`],
          ['Platform', platform ?? 'not said'],
          ['Payment network', advertisement.payments_network ?? 'not said'],
          ['Address', advertisement.ip_address + (endpoint == null ? '' : `, port ${String(endpoint.port)}`)],
          ...Object.entries(attributes ?? {}).map(([name, value]): Fact => [
            words(name),
            typeof value === 'number' ? formats.number(value) : String(value),
          ]),
        ]}
      />
    </Panel>
  );
}

/** Since when, and how long ago it was heard of, by the second. */
function Life({ advertisement }: Props): JSX.Element {
  const now = hubNow.value;
  const [created, updated, expires] = [
    advertisement.created_at,
    advertisement.updated_at,
    advertisement.expires_at,
  ].map(Date.parse) as [number, number, number];
  return (
    <Panel title="Sign of life">
      <Facts
        facts={[
          ['Status', advertisement.status === 'live' ? 'live' : 'suspect: its connection was lost'],
          ['Last heartbeat', formats.ago(updated, now)],
          ['Expires without another', formats.dateTime(expires)],
          ['Listed since', `${formats.dateTime(created)} (${formats.ago(created, now)})`],
          ['Seen at its address', advertisement.ip_confirmed ? 'yes' : 'no'],
          ['Signed', advertisement.verified ? 'yes' : 'no'],
        ]}
      />
    </Panel>
  );
}

type Fact = readonly [name: string, value: string];

function Facts({ facts, nothing = '' }: { facts: readonly Fact[]; nothing?: string }): JSX.Element {
  if (facts.length === 0) return <p class="hint">{nothing}</p>;
  return (
    <dl class="facts">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>
            <bdi>{value}</bdi>
          </dd>
        </div>
      ))}
    </dl>
  );
}

function words(member: string): string {
  return member.replaceAll('_', ' ');
}
