import type { PublishedAdvertisement } from '../src/protocol/advertisement.js';
import { providerAt } from './data/providers.js';
import { pathOf, type Query } from './data/queries.js';
import type { GetTarget } from './http-load.js';
import { getRequest, type HttpAnswer, HttpConnection } from './load/http-connection.js';
import { WrongAnswerError } from './part.js';

/** Fetches paths one after the other over one connection, and counts all bytes. */
export async function fetchAll(
  { port, host }: { port: number; host: string },
  paths: readonly string[],
): Promise<HttpAnswer[]> {
  let fail: (error: Error) => void = () => undefined;
  const failed = new Promise<never>((_, reject) => (fail = reject));
  const timer = setTimeout(() => fail(new Error(`${paths[0] ?? ''} …: no answer within 30 s`)), 30_000);
  const connection = new HttpConnection(port, host, (error) => fail(error));
  try {
    await Promise.race([connection.opened, failed]);
    const answers: HttpAnswer[] = [];
    for (const path of paths) {
      const answer = new Promise<HttpAnswer>((resolve) => {
        connection.send(getRequest(`${host}:${String(port)}`, path), (borrowed) => {
          resolve({ ...borrowed, body: Buffer.from(borrowed.body) });
        });
      });
      answers.push(await Promise.race([answer, failed]));
    }
    return answers;
  } finally {
    clearTimeout(timer);
    connection.close();
  }
}

/**
 * Sends every query and compares the answers, member by member, with the expected ones.
 * @param expected The numbers of the providers in each answer, in order.
 * @param others The ids of further providers that may appear.
 * @returns The queries as a load target, with the lengths of their answers.
 */
export async function checkAnswers(
  server: { port: number; host: string },
  queries: readonly Query[],
  expected: readonly (readonly number[])[],
  others: ReadonlySet<string> = new Set(),
): Promise<GetTarget> {
  const paths = queries.map(pathOf);
  const answers = await fetchAll(server, paths);
  answers.forEach(({ status, body }, at) => {
    const path = paths[at]!;
    const text = body.toString('utf8');
    if (status !== 200) throw new WrongAnswerError(`${path} was answered with ${String(status)}: ${text}`);
    const all = JSON.parse(text) as PublishedAdvertisement[];
    const rows = all.filter((row) => !others.has(row.provider_id));
    const wanted = expected[at]!;
    if (rows.length !== wanted.length) {
      throw new WrongAnswerError(`${path}: ${String(rows.length)} rows instead of ${String(wanted.length)}`);
    }
    rows.forEach((row, place) => checkRow(path, row, wanted[place]!));
  });
  return targetOf(server, paths, answers);
}

/** A load target that expects answers of the same lengths. */
export function targetOf(
  { port, host }: { port: number; host: string },
  paths: string[],
  answers: readonly { body: Buffer; totalBytes: number }[],
): GetTarget {
  return {
    port,
    host,
    paths,
    expectedBytes: answers.map(({ totalBytes }) => totalBytes),
    expectedBodyBytes: answers.map(({ body }) => body.length),
  };
}

function checkRow(path: string, row: PublishedAdvertisement, index: number): void {
  const provider = providerAt(index);
  const got = JSON.stringify([
    row.provider_id,
    row.ip_address,
    row.country,
    row.resources,
    row.platform,
    row.pricing,
    row.name,
    row.payments_network,
    row.verified,
  ]);
  const { cpu, memory, storage } = provider;
  const wanted = JSON.stringify([
    provider.id,
    provider.ipAddress,
    provider.country,
    { cpu, memory, storage },
    provider.platform,
    provider.pricing,
    provider.name,
    provider.paymentsNetwork,
    true,
  ]);
  if (got !== wanted) throw new WrongAnswerError(`${path}: ${got} instead of ${wanted}`);
}
