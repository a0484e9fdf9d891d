import type { HttpResponse } from '../../protocol/http-message.js';
import { NO_SNIFFING } from '../respond.js';

const DAY_MS = 86_400_000;
/** Short, so that the contact of a hub that is gone expires soon; a running hub renews it with every response. */
const DAYS_VALID = 30;

/**
 * `/.well-known/security.txt` (RFC 9116): where to report vulnerabilities in this hub.
 * @param contact A URI.
 * @param wall Milliseconds since 1970.
 */
export function securityTxt(contact: string, wall: number): HttpResponse {
  // Rounded to days, so that all responses of a day are equal.
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

/** An item for a page's list of links; empty without a contact. */
export function contactItem(contact: string | null): string {
  return contact === null
    ? ''
    : `<li><a href="${inAttribute(contact)}">Report a vulnerability</a> in this hub</li>\n`;
}

/** Escapes a text for a quoted attribute value. */
export function inAttribute(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('"', '&quot;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;');
}
