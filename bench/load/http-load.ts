import type { Timing } from './gauge.js';
import { getRequest } from './http-connection.js';
import { drive, type PreparedRequest } from './http-driver.js';

/** Requests to send in turn, and the expected length of the body of each answer. */
export interface GetLoad {
  port: number;
  host: string;
  paths: string[];
  expectedBodyBytes: number[];
  connections: number;
  seconds: number;
}

/** Sends GET requests for some time. */
export async function runGets(load: GetLoad): Promise<Timing & { requests: number }> {
  const { port, host, paths, expectedBodyBytes } = load;
  const requests = paths.map((path, at): PreparedRequest => ({
    bytes: getRequest(`${host}:${String(port)}`, path),
    problemOf: ({ status, body }) =>
      status === 200 && body.length === expectedBodyBytes[at]
        ? null
        : `${path} was answered with ${String(status)} and a body of ${String(body.length)} bytes`,
  }));
  let next = 0;
  return drive(load, load.seconds, () => {
    next += 1;
    return requests[next % requests.length];
  });
}
