import type { EtcdSettings } from './client/endpoint.js';

/** The store that several hubs share, and what this one is called among them. */
export interface SharedLogSettings extends EtcdSettings {
  /** What all keys begin with; ends with a slash. */
  prefix: string;
  /** The hub's name for people. */
  hubName: string;
}
