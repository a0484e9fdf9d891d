import { join } from 'node:path';
import { Hub } from '../hub.js';
import { LoadProcess } from '../load-process.js';
import type { Family } from '../part.js';
import { Program } from '../processes.js';
import { Remote } from '../rpc.js';
import type { VerifyCalls } from '../servers/verify.js';

const CONNECTIONS = 32;
const PROVIDERS = 1024;
const ROUNDS = 2;
const SECONDS = 2;
/** More posts than any machine can process in the time. */
const POSTS_EACH = 64;
/** A warm-up for the compiler, in seconds. */
const WARM_UP_SECONDS = 5;

/** Signed posts, each answered once it is durable. */
export const posts: Family = {
  title: 'posts',
  parts: [
    {
      name: 'posts',
      work: 'signed, durable posts, 32 connections',
      baseline: 'node:crypto verifying on one thread',
      unit: 'per second',
      aim: { of: 'ratio', sense: 'at least', value: 0.6 },
    },
  ],
  async run(bench) {
    bench.say('signing');
    const hub = await Hub.start(bench, 'posts.db');
    const load = new LoadProcess(bench);
    const signatureFile = join(bench.folder, 'signatures');
    await load.remote.call('preparePosts', {
      port: hub.port,
      host: '127.0.0.1',
      connections: CONNECTIONS,
      providers: PROVIDERS,
      rounds: bench.size(POSTS_EACH),
      signatureFile,
    });
    const verifier = new Program(bench, 'node:crypto', './servers/verify.js', [signatureFile], {
      calls: true,
    });
    const remote = new Remote<VerifyCalls>(verifier.child, verifier.error);
    await load.remote.call('posts', bench.size(WARM_UP_SECONDS));
    await remote.call('verify', bench.size(0.5));
    await hub.state();
    let requests = 0;
    let seconds = 0;
    let loadSeconds = 0;
    let baseline = 0;
    for (let round = 0; round < ROUNDS; round += 1) {
      bench.say('posting');
      const figure = await load.remote.call('posts', bench.size(SECONDS));
      requests += figure.requests;
      seconds += figure.seconds;
      loadSeconds += figure.cpuShare * figure.seconds;
      bench.say('verifying, nothing else');
      baseline += (await remote.call('verify', bench.size(SECONDS))) / ROUNDS;
    }
    const { longestStopMs } = await hub.state();
    await load.end();
    await Promise.all([hub.end(), verifier.end()]);
    const loadShare = loadSeconds / seconds;
    return [
      {
        name: 'posts',
        hub: requests / seconds,
        baseline,
        loadShare,
        baselineLoadShare: null,
        longestStopMs,
        note: '',
      },
    ];
  },
};
