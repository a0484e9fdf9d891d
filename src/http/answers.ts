import type { Asker, Work } from '../lib/turns/work-queue.js';
import { ProtocolError } from '../protocol/errors.js';
import { parseExplainQuery, parseMarketQuery } from '../protocol/filters/answer-queries.js';
import type { HttpResponse } from '../protocol/http-message.js';
import type { Registry } from '../registry/registry.js';
import { json, OPEN_TO_READERS } from './respond.js';

type Answer = HttpResponse | Promise<HttpResponse>;

/**
 * `GET /api/v1/explain`
 * @param asker Identified by its address.
 * @throws ProtocolError `ADV_002` naming a parameter, `ADV_003` if too many reads are waiting, `ADV_004` if there is no such provider.
 */
export function getExplanation(registry: Registry, search: string, asker: Asker): Answer {
  const { filter, providerId } = parseExplainQuery(search);
  return answer(registry, asker, () =>
    providerId === null
      ? registry.answers.explain(filter)
      : registry.answers.explainProvider(filter, providerId),
  );
}

/**
 * `GET /api/v1/market`
 * @param asker Identified by its address.
 * @throws ProtocolError `ADV_002` naming a parameter, `ADV_003` if too many reads are waiting.
 */
export function getMarket(registry: Registry, search: string, asker: Asker): Answer {
  const { filter, by } = parseMarketQuery(search);
  return answer(registry, asker, () => registry.answers.market(filter, by));
}

function answer(registry: Registry, asker: Asker, start: () => Work<object>): Answer {
  const found = registry.work.run(asker, start);
  if (found === null) {
    throw new ProtocolError('ADV_003', 'too many answers are being made at the moment; try again soon', {
      unavailable: true,
      retryAfterSeconds: 5,
    });
  }
  return found instanceof Promise ? found.then(response) : response(found);
}

function response(body: object): HttpResponse {
  return json(body, { headers: OPEN_TO_READERS });
}
