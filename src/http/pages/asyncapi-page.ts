import { pageHeaders } from './page-headers.js';
import type { HttpResponse } from '../../protocol/http-message.js';
import type { JsonObject } from '../descriptions/openapi-parts.js';
import { inAttribute as escaped } from './security-txt.js';

/** The path of the page's style sheet. */
export const STYLE_PATH = '/docs/asyncapi.css';

interface Message extends JsonObject {
  name: string;
  summary: string;
  payload: JsonObject;
}

interface Operation {
  action: 'receive' | 'send';
  title: string;
  summary: string;
  channel: { $ref: string };
  messages: { $ref: string }[];
  reply?: { messages: { $ref: string }[] };
}

interface Document {
  info: { description: string };
  channels: Record<string, { address: string; title: string; description?: string }>;
  operations: Record<string, Operation>;
  components: { messages: Record<string, Message> };
}

const nameOf = ({ $ref }: { $ref: string }): string => $ref.split('/').at(-1)!;

/** Renders the AsyncAPI document as a page: channels, their messages in each direction, and every message with its members. */
export function asyncApiPage(description: JsonObject): HttpResponse {
  // What `buildAsyncApi` has made.
  const document = description as unknown as Document;
  const body = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>VM discovery hub: frames and events</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="${STYLE_PATH}">
</head>
<body>
<main>
<h1>Frames and events</h1>
<p>${escaped(document.info.description)}</p>
<p><a href="/docs">The HTTP interface</a> · <a href="/docs/protocol.md">The protocol, with an example of each frame</a> · <a href="/api/v1/asyncapi.json">This page as AsyncAPI JSON</a></p>
${Object.entries(document.channels)
  .map(([name, channel]) => channelSection(document, name, channel))
  .join('')}
<h2>Messages</h2>
${Object.entries(document.components.messages)
  .map(([id, message]) => messageSection(id, message))
  .join('')}
</main>
</body>
</html>
`;
  return {
    status: 200,
    headers: { 'Content-Type': 'text/html; charset=utf-8', 'Cache-Control': 'no-store', ...pageHeaders() },
    body,
  };
}

function channelSection(
  { operations }: Document,
  name: string,
  { address, title, description }: Document['channels'][string],
): string {
  const own = Object.values(operations).filter(({ channel }) => nameOf(channel) === name);
  return `<section>
<h2>${escaped(title)}: <code>${escaped(address)}</code></h2>
${description === undefined ? '' : `<p>${escaped(description)}</p>\n`}<table>
<thead><tr><th scope="col">operation</th><th scope="col">the hub</th><th scope="col">messages</th><th scope="col">answers</th></tr></thead>
<tbody>
${own
  .map(
    ({ title: operation, summary, action, messages, reply }) =>
      `<tr><th scope="row"><code>${escaped(operation)}</code><br>${escaped(summary)}</th><td>${action}s</td><td>${links(messages)}</td><td>${links(reply?.messages ?? [])}</td></tr>`,
  )
  .join('\n')}
</tbody>
</table>
</section>
`;
}

function links(messages: readonly { $ref: string }[]): string {
  return messages
    .map(nameOf)
    .map((id) => `<a href="#${escaped(id)}">${escaped(id)}</a>`)
    .join(', ');
}

function messageSection(id: string, { summary, payload }: Message): string {
  return `<section id="${escaped(id)}">
<h3><code>${escaped(id)}</code></h3>
<p>${escaped(summary)}</p>
${membersOf(payload)}</section>
`;
}

/** The members of an object, nested, as lists. */
function membersOf(schema: JsonObject): string {
  const {
    properties,
    items,
    anyOf,
    oneOf,
    required = [],
  } = schema as {
    properties?: Record<string, JsonObject>;
    items?: JsonObject;
    anyOf?: JsonObject[];
    oneOf?: JsonObject[];
    required?: string[];
  };
  if (items !== undefined && !Array.isArray(items)) return membersOf(items);
  const options = anyOf ?? oneOf;
  if (properties === undefined) return (options ?? []).map(membersOf).join('');
  const members = Object.entries(properties).map(([name, member]) => {
    const { description } = member as { description?: string };
    const optional = required.includes(name) ? '' : ' <i>optional</i>';
    const about = description === undefined ? '' : ` – ${escaped(description)}`;
    return `<li><code>${escaped(name)}</code> <span>${escaped(kindOf(member))}</span>${optional}${about}${membersOf(member)}</li>`;
  });
  return `<ul>\n${members.join('\n')}\n</ul>\n`;
}

/** The type of a value, in a few words. */
function kindOf(schema: JsonObject): string {
  const { type, const: only, enum: values, anyOf, oneOf, items, pattern, minimum, maximum } = schema;
  if (only !== undefined) return JSON.stringify(only);
  if (Array.isArray(values)) return values.map((value) => JSON.stringify(value)).join(' | ');
  const options = anyOf ?? oneOf;
  if (Array.isArray(options)) return [...new Set((options as JsonObject[]).map(kindOf))].join(' | ');
  if (type === 'array') return `array of ${items === undefined ? 'anything' : kindOf(items as JsonObject)}`;
  const kind = Array.isArray(type) ? type.join(' | ') : typeof type === 'string' ? type : 'anything';
  const bounds = [
    typeof minimum === 'number' && minimum > Number.MIN_SAFE_INTEGER ? `at least ${String(minimum)}` : '',
    typeof maximum === 'number' && maximum < Number.MAX_SAFE_INTEGER ? `at most ${String(maximum)}` : '',
    typeof pattern === 'string' && pattern.length <= 60 ? `like ${pattern}` : '',
  ].filter((bound) => bound !== '');
  return [kind, ...bounds].join(', ');
}

/** The page's style sheet. */
export const STYLE = `:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif; }
body { margin: 0; background: light-dark(#fff, #0d1117); color: light-dark(#1b2129, #e9eef4); }
main { max-width: 1100px; margin: auto; padding: 24px 20px; }
h2 { margin-top: 2em; overflow-wrap: anywhere; }
a { color: light-dark(#0b5bd3, #6cb0ff); }
code { font-family: ui-monospace, monospace; }
table { width: 100%; border-collapse: collapse; display: block; overflow-x: auto; }
th, td { padding: 6px 12px 6px 0; border-bottom: 1px solid light-dark(#d5dbe2, #303a46); text-align: start; vertical-align: top; font-weight: normal; }
section[id] { padding: 4px 16px; margin-block: 12px; border: 1px solid light-dark(#d5dbe2, #303a46); border-radius: 8px; }
section[id]:target { border-color: light-dark(#0b5bd3, #6cb0ff); }
ul { padding-inline-start: 20px; }
li { overflow-wrap: anywhere; }
li > span { color: light-dark(#545d68, #a3adb9); }
`;
