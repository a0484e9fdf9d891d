import type { EtcdSettings } from './client/endpoint.js';

/** How to reach the store that several hubs share, and this hub's name. */
export interface SharedLogSettings extends EtcdSettings {
  /** The prefix of all keys; ends with a slash. */
  prefix: string;
  /** The hub's name for people. */
  hubName: string;
  /** The file in which the hub remembers how far it has followed the store; null for none. */
  markPath: string | null;
}

/** What the log says to its operator. */
export interface SharedLogLogger {
  info(message: string): void;
  warn(message: string): void;
  error(message: string): void;
}
