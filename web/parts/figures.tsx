import type { JSX } from 'preact';

/** A row of labelled figures. */
export function Figures({ figures }: { figures: readonly (readonly [string, string])[] }): JSX.Element {
  return (
    <dl class="figures">
      {figures.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
