import type { Command } from 'commander';
import type { SettingName } from '../../settings.js';

/** The flags for a hub's settings. */
export interface HubFlags {
  port?: string;
  db?: string;
}

/** Adds the flags for settings. */
export function withHubFlags(command: Command): Command {
  return command
    .option('--port <port>', 'port to listen on; overrides DISCOVERY_PORT')
    .option('--db <file>', 'database file, or :memory: to keep nothing; overrides DISCOVERY_DB_URL');
}

/** The settings given by flags. */
export function settingsOf({ port, db }: HubFlags): Partial<Record<SettingName, string>> {
  return {
    ...(port === undefined ? {} : { PORT: port }),
    // A path, or the URL form of the setting.
    ...(db === undefined ? {} : { DB_URL: /^sqlite[+:]/.test(db) ? db : `sqlite:///${db}` }),
  };
}
