import type { EtcdSettings } from './client/endpoint.js';

/** How to reach the store that several hubs share, and this hub's name. */
export interface SharedLogSettings extends EtcdSettings {
  /** The prefix of all keys; ends with a slash. */
  prefix: string;
  /** The hub's name for people. */
  hubName: string;
}
