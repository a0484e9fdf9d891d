// A small market: three providers with GPUs, one of them an Ethereum account, and a requestor that follows the two cheapest.
// One provider lowers its price and pushes another out, which asks the hub why, and who sees it.
//
//   npm run build && npm start
//   node examples/market/market.js [URL]
import {
  DiscoveryClient,
  ethereumSigner,
  generateEthereumKey,
  generateKey,
  monthlyEstimate,
  ProviderSession,
  watch,
} from 'vm-discovery-hub/client';

const [url = 'http://localhost:7465'] = process.argv.slice(2);
// What the requestor needs: it only looks at machines of this market.
const needs = {
  cpu: 8,
  memory: 32,
  storage: 200,
  min: { gpu: 1 },
  attributes: { market: `example ${process.pid}` },
};

function offer(gpuModel, usdPerCore) {
  return {
    ip_address: '203.0.113.7',
    country: 'SE',
    resources: { cpu: 16, memory: 64, storage: 1000, gpu: 1 },
    pricing: { usd_per_core_month: usdPerCore, usd_per_gb_ram_month: 0.5, usd_per_gb_storage_month: 0.01 },
    attributes: { gpu_model: gpuModel, ...needs.attributes },
  };
}

const priceOf = ({ pricing }) => monthlyEstimate(pricing, needs);
const describe = (one) => `${one.attributes.gpu_model} for ${priceOf(one).toFixed(2)}`;

const provider = (key, gpuModel, usdPerCore) =>
  new ProviderSession(url, { key, advertisement: offer(gpuModel, usdPerCore) }).start();
const budget = provider(generateKey(), 'RTX 3090', 3);
const account = provider(ethereumSigner(generateEthereumKey()), 'RTX 4090', 4);
const dear = provider(generateKey(), 'A100', 9);
const sessions = [budget, account, dear];
await Promise.all(sessions.map((session) => session.published()));
console.log(`the Ethereum account is ${account.providerId}`);

const matches = watch(url, needs, { sort: 'price', limit: 2 });
await matches.ready;
console.log(`the cheapest two: ${matches.ranking.map(describe).join(', ')}`);

console.log('the A100 costs less now');
await dear.update(offer('A100', 1));
let loser;
for await (const change of matches) {
  if (change.type !== 'removed') continue;
  loser = change.advertisement;
  console.log(`${change.reason}: ${describe(loser)}`);
  break;
}
const after = matches.ranking;
console.log(`the cheapest two: ${after.map(describe).join(', ')}`);

// The requestor pays no more than the second of them asks, which is what keeps the loser out.
const client = new DiscoveryClient(url);
const filter = { ...needs, max_usd_per_month: priceOf(after[1]) };
const { misses, rank } = await client.explainProvider(loser.provider_id, filter);
for (const { member, asked, offered } of misses)
  console.log(`why: ${member} is ${asked}, and it asks ${offered}`);
console.log(`${rank.of} match that`);
const place = await client.explainProvider(loser.provider_id, needs);
console.log(`without that it is number ${place.rank.by_price} of ${place.rank.of} by price`);
const { total, buckets } = await client.market(needs, { by: 'attr.gpu_model' });
console.log(
  `the market: ${buckets.map(({ key }) => key).join(', ')}; half ask at most ${total.usd_per_month.p50}`,
);
const { streams } = await account.visibility();
console.log(`streams that see it: ${streams}`);

await matches.stop();
await Promise.all(sessions.map((session) => session.withdraw().then(() => session.stop())));
