import { spawn } from 'node:child_process';

/**
 * Tells systemd how the service is, through its own `systemd-notify` (Node has no datagram sockets of that kind).
 * The unit needs `NotifyAccess=all`, because the message comes from another process. Without systemd nothing happens.
 */
export class ServiceManager {
  #ready = false;

  /** Said once: the service does what it is there for. */
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
    process.stderr.write(`systemd could not be told: ${error.message}\n`);
  });
}
