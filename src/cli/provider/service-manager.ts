import { spawn } from 'node:child_process';

/**
 * Reports the state of the service to systemd with `systemd-notify`, because Node has no Unix datagram sockets. The unit needs
 * `NotifyAccess=all`: the message comes from another process. Does nothing without systemd.
 */
export class ServiceManager {
  #ready = false;

  /** Reports, once, that the service is ready. */
  ready(status: string): void {
    if (this.#ready) return;
    this.#ready = true;
    notify('--ready', `--status=${status}`);
  }

  status(text: string): void {
    notify(`--status=${text}`);
  }

  stopping(): void {
    notify('STOPPING=1');
  }
}

function notify(...messages: string[]): void {
  if (process.env['NOTIFY_SOCKET'] === undefined) return;
  const child = spawn('systemd-notify', [`--pid=${process.pid}`, ...messages], { stdio: 'ignore' });
  child.on('error', (error) => {
    process.stderr.write(`Could not notify systemd: ${error.message}\n`);
  });
}
