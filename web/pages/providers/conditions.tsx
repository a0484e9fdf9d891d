import type { JSX } from 'preact';
import type { Explanation, Filter } from '../../../src/client/index.js';
import { conditionsOf, relaxations, without } from '../../model/conditions.js';
import { formats } from '../../model/formats.js';
import { linkTo } from '../../state/place.js';

export interface ConditionsProps {
  readonly filter: Filter;
  readonly onChange: (filter: Filter) => void;
}

/** What is asked for, each with a button that takes it away. */
export function Conditions({ filter, onChange }: ConditionsProps): JSX.Element | null {
  const conditions = conditionsOf(filter);
  if (conditions.length === 0) return null;
  return (
    <ul class="conditions" aria-label="Asked for">
      {conditions.map(({ member, text }) => (
        <li key={member}>
          <button
            type="button"
            aria-label={`No longer: ${text}`}
            onClick={() => onChange(without(filter, member))}
          >
            <bdi>{text}</bdi> <span aria-hidden="true">×</span>
          </button>
        </li>
      ))}
      {conditions.length > 1 && (
        <li>
          <button type="button" class="plain" onClick={() => onChange({})}>
            Ask for nothing
          </button>
        </li>
      )}
    </ul>
  );
}

export interface NoMatchesProps extends ConditionsProps {
  readonly explanation: Explanation | null;
}

/** Why nothing is there, and what would bring something. */
export function NoMatches({ filter, explanation, onChange }: NoMatchesProps): JSX.Element {
  const words = new Map(conditionsOf(filter).map(({ member, text }) => [member, text]));
  const textOf = (members: readonly string[]): string =>
    members.map((member) => `“${words.get(member) ?? member}”`).join(' and ');
  const ways = explanation === null ? [] : relaxations(explanation);
  const [nearest] = explanation?.nearest ?? [];
  return (
    <section class="nothing" aria-label="No matches">
      <h2>{words.size === 0 ? 'Nobody is here yet' : 'Nobody offers all of that'}</h2>
      {explanation !== null && words.size > 0 && (
        <p>
          {explanation.providers === 0
            ? 'There is no provider at all at the moment.'
            : `None of ${formats.count(explanation.providers)} providers fits. As soon as one does, it appears here.`}
        </p>
      )}
      {words.size === 0 && <p>As soon as a provider advertises itself, it appears here.</p>}
      {ways.length > 0 && (
        <ul class="relaxations">
          {ways.map(({ members, gain }) => (
            <li key={members.join()}>
              <button type="button" onClick={() => onChange(members.reduce(without, filter))}>
                Without {textOf(members)}
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
          <a href={linkTo('provider', '', nearest.provider_id)}>The nearest one</a> misses{' '}
          {textOf(nearest.misses.map(({ member }) => member))}.
        </p>
      )}
    </section>
  );
}
