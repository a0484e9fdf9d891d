import assert from 'node:assert/strict';
import { test } from 'node:test';
import { METHODS } from '../../src/registry/etcd/client/messages.js';
import { Keys } from '../../src/registry/etcd/keys.js';
import { scratchFolder } from '../process/hub-process.js';
import { TestEtcd, until, WITHOUT_ETCD } from '../support/hubs/etcd.js';
import { TestKey } from '../support/data/keys.js';
import { TestHub } from '../support/hubs/test-hub.js';
import { runPiped } from './pseudo-terminal.js';

/** What the test reads of `cluster --json`. */
interface Overview {
  epoch: string | null;
  revision: number;
  providers: number;
  hubs: { name: string; leaseSeconds: number }[];
  nodes: { problem: string | null; isLeader: boolean; bytes: number; alarms: string[] }[];
  asked: { revision: number | null; problem: string | null }[];
  troubles: string[];
}

test(
  'cluster shows the hubs that share a store, and its nodes; its exit status says whether something has to be done',
  { skip: WITHOUT_ETCD },
  async (t) => {
    const etcd = await TestEtcd.start();
    t.after(() => etcd.stop());
    const [folder, prefix] = [scratchFolder(t), etcd.prefix()];
    const cluster = async (
      flags: readonly string[],
      env: NodeJS.ProcessEnv = { DISCOVERY_ETCD_ENDPOINTS: etcd.url, DISCOVERY_ETCD_PREFIX: prefix },
    ): Promise<{ code: number | null; output: string }> => {
      const command = runPiped(['cluster', ...flags], folder, env);
      return { code: (await command.exited).code, output: command.output };
    };

    const unused = await cluster([]);
    assert.equal(unused.code, 1, unused.output);
    assert.match(unused.output, /epoch none yet .* 0 providers known/);
    assert.match(unused.output, /no hub uses this store/);

    const start = (name: string): Promise<TestHub> =>
      TestHub.start({ ETCD_ENDPOINTS: etcd.url, ETCD_PREFIX: prefix, HUB_NAME: name });
    const [east, west] = [await start('east'), await start('west')];
    assert.equal((await east.post(new TestKey())).status, 200);

    const urls = ['--hubs', `${east.url},${west.url}`];
    const table = await cluster(urls);
    assert.equal(table.code, 0, table.output);
    assert.match(table.output, /^epoch \S+ · revision \d+ · 1 provider known$/m);
    assert.match(table.output, /leader/);
    for (const hub of [east, west]) assert.ok(table.output.includes(hub.url), table.output);

    const json = await cluster(['--json', ...urls]);
    assert.equal(json.code, 0, json.output);
    const seen = JSON.parse(json.output) as Overview;
    assert.equal(seen.providers, 1);
    assert.deepEqual(seen.hubs.map(({ name }) => name).sort(), ['east', 'west']);
    for (const { leaseSeconds } of seen.hubs) assert.ok(leaseSeconds > 0, String(leaseSeconds));
    assert.equal(seen.nodes.length, 1);
    assert.deepEqual(
      [seen.nodes[0]!.problem, seen.nodes[0]!.isLeader, seen.nodes[0]!.alarms],
      [null, true, []],
    );
    assert.ok(seen.nodes[0]!.bytes > 0);
    assert.equal(seen.asked.length, 2);
    for (const { revision } of seen.asked) assert.ok(revision !== null && revision <= seen.revision);
    assert.deepEqual(seen.troubles, []);

    await west.stop();
    const alone = await cluster(urls);
    assert.equal(alone.code, 1, alone.output);
    assert.ok(alone.output.includes(`hub ${west.url}: `), alone.output);

    const stranger = await TestHub.start();
    t.after(() => stranger.stop());
    const foreign = await cluster(['--hubs', stranger.url]);
    assert.equal(foreign.code, 1, foreign.output);
    assert.ok(foreign.output.includes(`hub ${stranger.url}: `), foreign.output);

    const client = await etcd.client();
    await client.call(METHODS.put, { key: new Keys(prefix).identity, value: Buffer.from('another') });
    client.close();
    const renewed = await cluster(['--hubs', east.url]);
    assert.equal(renewed.code, 1, renewed.output);
    assert.match(renewed.output, /it follows epoch \S+, and the store has \S+: restart it/);

    const unset = await cluster([], {});
    assert.equal(unset.code, 78, unset.output);
    assert.match(unset.output, /DISCOVERY_ETCD_ENDPOINTS is not set/);

    await east.stop();
    await etcd.kill();
    const away = await cluster([]);
    assert.equal(away.code, 4, away.output);
    assert.ok(away.output.includes(etcd.url.slice('http://'.length)), away.output);
  },
);

test(
  'without a majority of nodes, cluster shows which are away, and what its hubs say',
  { skip: WITHOUT_ETCD },
  async (t) => {
    const etcd = await TestEtcd.cluster(3);
    t.after(() => etcd.stop());
    const [folder, prefix, endpoints] = [scratchFolder(t), etcd.prefix(), etcd.urls.join(',')];
    const hub = await TestHub.start({ ETCD_ENDPOINTS: endpoints, ETCD_PREFIX: prefix, HUB_NAME: 'left' });
    t.after(() => hub.stop());
    await etcd.kill(1);
    const ask = async (): Promise<{ code: number | null; output: string }> => {
      const command = runPiped(['cluster', '--hubs', hub.url], folder, {
        DISCOVERY_ETCD_ENDPOINTS: endpoints,
        DISCOVERY_ETCD_PREFIX: prefix,
      });
      return { code: (await command.exited).code, output: command.output };
    };
    let answer = await ask();
    // The node that is left takes a second to notice.
    await until(async () => {
      answer = await ask();
      return answer.output.includes('it has no leader: a majority of nodes is down');
    }, 'that it has no leader');
    assert.equal(answer.code, 1, answer.output);
    assert.match(answer.output, /^the store does not answer$/m);
    assert.ok(answer.output.includes(hub.url), answer.output);
    for (const url of etcd.urls) assert.ok(answer.output.includes(url), answer.output);
  },
);
