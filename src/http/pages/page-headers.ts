import type { HttpRequest, HttpResponse } from '../../protocol/http-message.js';
import { NO_SNIFFING } from '../respond.js';

/** Serves a page, or a file that pages need. */
export type Page = (request: HttpRequest) => HttpResponse;

/**
 * The headers of a page: it loads nothing from elsewhere, runs only the hub's own files, and cannot be framed or controlled by other pages.
 * @param inlineScripts Inline scripts that may run, as sources of a content security policy, e.g. hashes.
 */
export function pageHeaders(inlineScripts: readonly string[] = []) {
  return {
    'Content-Security-Policy': [
      "default-src 'none'",
      `script-src ${["'self'", ...inlineScripts].join(' ')}`,
      "style-src 'self'",
      "img-src 'self' data:",
      "connect-src 'self'",
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
    ].join('; '),
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Cross-Origin-Resource-Policy': 'same-origin',
    'Permissions-Policy': 'camera=(), geolocation=(), microphone=(), payment=(), usb=()',
    'Referrer-Policy': 'no-referrer',
    ...NO_SNIFFING,
  };
}
