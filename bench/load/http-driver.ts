import { WrongAnswerError } from '../part.js';
import { startTiming, type Timing } from './gauge.js';
import { type HttpAnswer, HttpConnection } from './http-connection.js';

/** A prepared request, and a check of its answer, which returns what is wrong, or null. */
export interface PreparedRequest {
  bytes: Uint8Array;
  problemOf(answer: HttpAnswer): string | null;
}

/**
 * Sends requests over keep-alive connections for some seconds, one at a time over each, and checks every answer.
 * @param take Returns the next request of a connection; undefined if there are no more.
 * @param times Receives how long each took, in milliseconds.
 */
export async function drive(
  server: { port: number; host: string; connections: number },
  seconds: number,
  take: (connection: number) => PreparedRequest | undefined,
  times: number[] = [],
): Promise<Timing & { requests: number }> {
  const failures: Error[] = [];
  const connections = Array.from(
    { length: server.connections },
    () => new HttpConnection(server.port, server.host, (error) => failures.push(error)),
  );
  await Promise.all(connections.map(({ opened }) => opened));
  const stop = startTiming();
  const until = performance.now() + seconds * 1000;
  let requests = 0;
  await Promise.all(
    connections.map(
      (connection, at) =>
        new Promise<void>((resolve) => {
          const step = (): void => {
            const isOver = failures.length > 0 || performance.now() >= until;
            const request = isOver ? undefined : take(at);
            if (request === undefined) return resolve();
            const from = performance.now();
            connection.send(request.bytes, (answer) => {
              requests += 1;
              times.push(performance.now() - from);
              const problem = request.problemOf(answer);
              if (problem !== null) failures.push(new WrongAnswerError(problem));
              step();
            });
          };
          step();
          // A broken connection has nothing to wait for.
          connection.socket.once('close', resolve);
        }),
    ),
  );
  const timing = stop();
  for (const connection of connections) connection.close();
  const [failure] = failures;
  if (failure !== undefined) throw failure;
  return { ...timing, requests };
}
