import type { HttpRequest, HttpResponse } from '../protocol/http-message.js';
import { NO_SNIFFING } from './respond.js';

/** Answers with a page, or with a file that pages need. */
export type Page = (request: HttpRequest) => HttpResponse;

/**
 * The headers of a page: nothing from elsewhere is loaded, nothing runs but the hub's own files, and no other page gets hold of it.
 * @param inlineScripts What may run beside the files: sources as a policy writes them, e.g. hashes.
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
