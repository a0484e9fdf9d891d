import { isatty } from 'node:tty';
import { type Certificate, readCertificate, type TlsFiles } from '../../gateway/transports/tls.js';
import type { Logger } from '../../log.js';
import type { Hub } from '../../server.js';

/**
 * Has SIGHUP make the hub read its certificate again, without a restart. The same signal comes when the terminal
 * that a hub runs on is closed, and then still ends it.
 */
export function onHangup(started: Promise<Hub>, tls: TlsFiles | null, log: Logger): void {
  if (tls !== null) report(readCertificate(tls), log, 'speaking TLS with this certificate');
  const terminals = [0, 1, 2].filter((descriptor) => isatty(descriptor));
  const hangUp = (): void => {
    if (terminals.length > 0 && !terminals.some((descriptor) => isatty(descriptor))) {
      process.off('SIGHUP', hangUp);
      process.kill(process.pid, 'SIGHUP');
    } else if (tls === null) {
      log.info('SIGHUP: there is no certificate to read again, because the hub speaks no TLS');
    } else {
      started.then(
        (hub) => renew(hub, log),
        () => undefined,
      );
    }
  };
  process.on('SIGHUP', hangUp);
}

function renew(hub: Hub, log: Logger): void {
  try {
    report(hub.renewCertificate(), log, 'SIGHUP: new connections get this certificate from now on');
  } catch (error) {
    const { message } = error as Error;
    log.error(`SIGHUP: the certificate stays as it was, because the new one cannot be used: ${message}`);
  }
}

function report({ fingerprint, expires }: Certificate, log: Logger, message: string): void {
  log.info({ fingerprint, expires: new Date(expires).toISOString() }, message);
  if (expires <= Date.now()) {
    log.warn('the certificate has expired, and clients will refuse it; renew it, then send SIGHUP');
  }
}
