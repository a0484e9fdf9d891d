import type { Content } from './arbitraries.js';

/** A minimal advertisement of an ordinary machine. */
export const CONTENT: Content = {
  ipAddress: '203.0.113.7',
  country: 'SE',
  resources: { cpu: 4, memory: 8, storage: 40 },
  platform: null,
  pricing: null,
  name: null,
  paymentsNetwork: null,
  attributes: null,
  endpoint: null,
};

/** The same of the smallest machine there is. */
export const SMALLEST: Content = { ...CONTENT, resources: { cpu: 1, memory: 1, storage: 1 } };
