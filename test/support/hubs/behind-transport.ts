import type { TestContext } from 'node:test';
import { loadConfig } from '../../../src/config.js';
import { Door } from '../../../src/door.js';
import { startTransport } from '../../../src/gateway/transports/index.js';
import type { Metrics } from '../../../src/http/metrics.js';
import { errorResponse } from '../../../src/http/respond.js';
import type { HttpResponse } from '../../../src/protocol/http-message.js';
import type { FakeClock } from '../fake-clock.js';
import type { GatewayWorld } from './gateway.js';
import type { TransportName } from './test-hub.js';

const KB = 1024;

/**
 * Puts a real transport before a gateway, without limits on rates, until the test is over.
 * @param answer Answers every request.
 * @returns The port.
 */
export async function serveGateway(
  t: TestContext,
  name: TransportName,
  { gateway, clock }: { gateway: GatewayWorld['gateway']; clock: FakeClock },
  answer: () => HttpResponse,
): Promise<number> {
  const settings = { DISCOVERY_RATE_LIMIT_PER_MINUTE: '0', DISCOVERY_TRUST_PROXY: '127.0.0.1' };
  const config = loadConfig(settings, '/there-is-no-such.env');
  const api = {
    handle: answer,
    refuse: (error: Parameters<typeof errorResponse>[0]) => errorResponse(error, clock.wall()),
  };
  const metrics = { rateLimited: () => undefined } as unknown as Metrics;
  const transport = await startTransport(name)(
    { host: '127.0.0.1', port: 0 },
    {
      websocketPath: '/api/v1/ws',
      maxBodyBytes: 16 * KB,
      maxMessageBytes: 64 * KB,
      maxConnections: 1000,
      maxSilentPerAddress: Infinity,
      tls: null,
    },
    new Door(config, gateway, api, metrics, clock, () => false),
  );
  t.after(() => transport.close());
  return transport.port;
}
