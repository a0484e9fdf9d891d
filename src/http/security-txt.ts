import type { HttpResponse } from '../protocol/http-message.js';
import { NO_SNIFFING } from './respond.js';

const DAY_MS = 86_400_000;
/** A hub that is gone must not be vouched for long; one that runs says it anew each time. */
const DAYS_VALID = 30;

/**
 * What `/.well-known/security.txt` answers (RFC 9116): where to report what is wrong with the security of this hub.
 * @param contact A URI.
 * @param wall Milliseconds since 1970.
 */
export function securityTxt(contact: string, wall: number): HttpResponse {
  // By the day, so that one day's answers are alike.
  const expires = new Date((Math.floor(wall / DAY_MS) + DAYS_VALID) * DAY_MS).toISOString();
  return {
    status: 200,
    headers: {
      'Content-Type': 'text/plain; charset=utf-8',
      'Cache-Control': 'max-age=3600',
      ...NO_SNIFFING,
    },
    body: `Contact: ${contact}\nExpires: ${expires}\n`,
  };
}

/** An item for the list of links on a page; empty where the operator names nobody. */
export function contactItem(contact: string | null): string {
  return contact === null
    ? ''
    : `<li><a href="${inAttribute(contact)}">Report a vulnerability</a> of this hub</li>\n`;
}

/** A text as the value of an attribute in quotation marks. */
export function inAttribute(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('"', '&quot;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;');
}
