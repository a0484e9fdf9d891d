import type { ComponentChildren, JSX } from 'preact';
import type { Amounts, Pricing, PublishedAdvertisement } from '../../../src/client/index.js';
import { monthlyEstimate } from '../../../src/client/index.js';
import type { PageProps } from '../page-props.js';
import { amountsOf } from '../../model/amounts.js';
import { providerCommands } from '../../model/commands.js';
import { formats } from '../../model/formats.js';
import { nameOf } from '../../model/name.js';
import { formatFilter, readView } from '../../model/view.js';
import { Commands } from '../../parts/commands.js';
import { CopyButton } from '../../parts/copy-button.js';
import { StatusBadge } from '../../parts/status-badge.js';
import { useAnswer } from '../../state/answers.js';
import { hub, hubNow, hubUrl } from '../../state/hub.js';
import { linkTo, place, showQuery } from '../../state/place.js';
import { NumberField } from '../providers/fields.js';
import { ProofCheck } from './proof-check.js';

/** Polling interval. */
const LOOK_MS = 5000;

/** The details of one provider. */
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
          The hub has no advertisement of <code>{providerId}</code>. It may have expired or been withdrawn. If
          it comes back, it appears here.
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
      <Panel title="Use in code">
        <Commands commands={providerCommands(hubUrl, providerId)} />
      </Panel>
    </article>
  );
}

interface Props {
  readonly advertisement: PublishedAdvertisement;
}

function Heading({ advertisement }: Props): JSX.Element {
  const { provider_id: id, status } = advertisement;
  return (
    <header class="provider-head">
      <h1>
        <bdi>{nameOf(advertisement) ?? formats.shortId(id)}</bdi>
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

/** Each priced unit and the members that hold its price in USD and GLM. */
const UNIT_PRICES: readonly [unit: string, usd: string, glm: string][] = [
  ['Per core', 'usd_per_core_month', 'glm_per_core_month'],
  ['Per GB of memory', 'usd_per_gb_ram_month', 'glm_per_gb_ram_month'],
  ['Per GB of disk', 'usd_per_gb_storage_month', 'glm_per_gb_storage_month'],
];
const KNOWN_PRICES = new Set(UNIT_PRICES.flat());

/** The price of each unit in both currencies, then all other members of `pricing`. */
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

/** The monthly price: for the requested amounts, which the URL holds, and for everything the provider offers. */
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
    <Panel title="Price per month">
      <p class="price">{estimates(pricing, amounts)}</p>
      <div class="amounts" role="group" aria-label="Amounts">
        {field('cpu', 'for', 'cores')}
        {field('memory', 'with', 'GB memory')}
        {field('storage', 'and', 'GB disk')}
      </div>
      <p class="hint">Everything it offers: {estimates(pricing, resources)}</p>
      <Facts facts={priceFacts(pricing ?? {})} nothing="No prices given." />
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
    <Panel title="Offer">
      <Facts
        facts={[
          ['Cores', formats.count(cpu)],
          ['Memory', formats.gigabytes(memory)],
          ['Disk', formats.gigabytes(storage)],
          ...Object.entries(further).map(([name, value]): Fact => [words(name), formats.count(value)]),
          ['Country', `${formats.country(country)} (${country})`],
          ['Platform', platform ?? 'not given'],
          ['Payment network', advertisement.payments_network ?? 'not given'],
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

/** Status and age, updated every second. */
function Life({ advertisement }: Props): JSX.Element {
  const now = hubNow.value;
  const [created, updated, expires] = [
    advertisement.created_at,
    advertisement.updated_at,
    advertisement.expires_at,
  ].map(Date.parse) as [number, number, number];
  return (
    <Panel title="Status">
      <Facts
        facts={[
          ['State', advertisement.status === 'live' ? 'live' : 'suspect: connection lost'],
          ['Last heartbeat', formats.ago(updated, now)],
          ['Expires', formats.dateTime(expires)],
          ['Listed since', `${formats.dateTime(created)} (${formats.ago(created, now)})`],
          ['Address confirmed', advertisement.ip_confirmed ? 'yes' : 'no'],
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
