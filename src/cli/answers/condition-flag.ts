import type { Miss } from '../../client/node.js';
import {
  type ConditionKind,
  type ConditionName,
  CONDITIONS,
  kindOf,
} from '../../protocol/filters/conditions.js';
import type { Filter } from '../../protocol/filters/filter.js';

type Asked = Miss['asked'];

/** A condition of an answer, parsed: its kind, and the name of the attribute or resource it is about. */
interface Member {
  condition: string;
  name: string | null;
  /** Undefined for conditions that this version does not know. */
  kind: ConditionKind | undefined;
}

function partsOf(member: string): Member {
  const [first = '', name = null] = member.split(/\.(.*)/s);
  const condition = first === 'attr' ? 'attributes' : first;
  return { condition, name, kind: kindOf(condition) };
}

/**
 * A condition as a command-line flag, e.g. `--country SE,NO` or `--attr gpu_model="RTX 4090"`.
 * @param member Its name in answers, e.g. `attr.gpu_model`.
 */
export function flagOf(member: string, asked: Asked): string {
  const { condition, name, kind } = partsOf(member);
  if (kind === undefined) return `${member} ${textOf(asked)}`;
  const [flag = ''] = CONDITIONS[condition as ConditionName].flag.form.split(' ');
  if (kind === 'only') return flag;
  if (name === null) return `${flag} ${quoted(textOf(asked))}`;
  if (kind === 'further-resources')
    return name === 'gpu' ? `--gpu ${textOf(asked)}` : `${flag} ${name}=${textOf(asked)}`;
  const isRange = typeof asked === 'object' && !Array.isArray(asked);
  return isRange ? `${flag} ${name}:${textOf(asked)}` : `${flag} ${name}=${quoted(textOf(asked))}`;
}

/** The flag of a condition without its value, e.g. `--max-usd` or `--attr gpu_model`. */
export function flagNameOf(member: string): string {
  const { condition, name, kind } = partsOf(member);
  if (kind === undefined) return member;
  const [flag = ''] = CONDITIONS[condition as ConditionName].flag.form.split(' ');
  return name === null ? flag : `${flag} ${name}`;
}

/** The condition of that name in a filter, as a command-line flag. */
export function flagIn(filter: Filter, member: string): string {
  const { condition, name } = partsOf(member);
  const asked: unknown = filter[condition as ConditionName];
  const one = name === null ? asked : (asked as Readonly<Record<string, unknown>> | undefined)?.[name];
  return one === undefined ? member : flagOf(member, one as Asked);
}

/** In which direction a bound has to move to let more in; null if the condition is no bound. */
export function easierIs(member: string): 'less' | 'more' | null {
  const { kind } = partsOf(member);
  if (kind === 'at-least' || kind === 'further-resources') return 'less';
  return kind === 'at-most' ? 'more' : null;
}

/** A condition's value, as typed. */
function textOf(asked: Asked): string {
  if (Array.isArray(asked)) return [...new Set(asked.map(String))].join(',');
  if (typeof asked !== 'object') return String(asked);
  return `${String(asked.min ?? '')}..${String(asked.max ?? '')}`;
}

/** A value, quoted for a shell if needed. */
function quoted(value: string): string {
  return /^[\w.,:@%+=/-]+$/.test(value) ? value : `"${value.replace(/["\\$`]/g, '\\$&')}"`;
}
