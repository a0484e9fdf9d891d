import type { JSX } from 'preact';
import type { Explanation, Filter } from '../../../src/client/index.js';
import { conditionsOf, relaxations, without } from '../../model/conditions.js';
import { formats } from '../../model/formats.js';
import { linkTo } from '../../state/place.js';

export interface ConditionsProps {
  readonly filter: Filter;
  readonly onChange: (filter: Filter) => void;
}

/** The active conditions of the filter, each with a button that removes it. */
export function Conditions({ filter, onChange }: ConditionsProps): JSX.Element | null {
  const conditions = conditionsOf(filter);
  if (conditions.length === 0) return null;
  return (
    <ul class="conditions" aria-label="Active conditions">
      {conditions.map(({ member, text }) => (
        <li key={member}>
          <button
            type="button"
            aria-label={`Remove condition: ${text}`}
            onClick={() => onChange(without(filter, member))}
          >
            <bdi>{text}</bdi> <span aria-hidden="true">×</span>
          </button>
        </li>
      ))}
      {conditions.length > 1 && (
        <li>
          <button type="button" class="plain" onClick={() => onChange({})}>
            Clear all
          </button>
        </li>
      )}
    </ul>
  );
}

export interface NoMatchesProps extends ConditionsProps {
  readonly explanation: Explanation | null;
}

/** Explains an empty result and offers to drop the conditions that cause it. */
export function NoMatches({ filter, explanation, onChange }: NoMatchesProps): JSX.Element {
  const words = new Map(conditionsOf(filter).map(({ member, text }) => [member, text]));
  const textOf = (members: readonly string[]): string =>
    members.map((member) => `“${words.get(member) ?? member}”`).join(' and ');
  const ways = explanation === null ? [] : relaxations(explanation);
  const [nearest] = explanation?.nearest ?? [];
  return (
    <section class="nothing" aria-label="No matches">
      <h2>{words.size === 0 ? 'No providers yet' : 'No matching providers'}</h2>
      {explanation !== null && words.size > 0 && (
        <p>
          {explanation.providers === 0
            ? 'No providers are listed at the moment.'
            : `None of ${formats.count(explanation.providers)} providers matches. Matches appear here as they come in.`}
        </p>
      )}
      {words.size === 0 && <p>Providers appear here as soon as they advertise.</p>}
      {ways.length > 0 && (
        <ul class="relaxations">
          {ways.map(({ members, gain }) => (
            <li key={members.join()}>
              <button type="button" onClick={() => onChange(members.reduce(without, filter))}>
                Remove {textOf(members)}
              </button>
              <span>
                {formats.count(gain)} {gain === 1 ? 'provider' : 'providers'}
              </span>
            </li>
          ))}
        </ul>
      )}
      {nearest !== undefined && (
        <p class="hint">
          <a href={linkTo('provider', '', nearest.provider_id)}>The closest provider</a> fails{' '}
          {textOf(nearest.misses.map(({ member }) => member))}.
        </p>
      )}
    </section>
  );
}
