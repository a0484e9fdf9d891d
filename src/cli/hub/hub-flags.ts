import type { Command } from 'commander';
import type { SettingName } from '../../settings.js';

/** Settings of a hub that have a flag. */
export interface HubFlags {
  port?: string;
  db?: string;
}

/** Adds the flags that stand for settings. */
export function withHubFlags(command: Command): Command {
  return command
    .option('--port <port>', 'port to listen on; comes before DISCOVERY_PORT')
    .option('--db <file>', 'database file, or :memory: to keep nothing; comes before DISCOVERY_DB_URL');
}

/** The settings that flags stand for. */
export function settingsOf({ port, db }: HubFlags): Partial<Record<SettingName, string>> {
  return {
    ...(port === undefined ? {} : { PORT: port }),
    // A path as in a shell, or the URL that the setting takes.
    ...(db === undefined ? {} : { DB_URL: /^sqlite[+:]/.test(db) ? db : `sqlite:///${db}` }),
  };
}
