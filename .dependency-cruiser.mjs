// Who may import whom (docs/architecture.md): everything below a line knows nothing of what is above it.
// `npm run check` enforces it, types included; an error comes with the comment of its rule.

/**
 * @param {string} folder what is restricted, below src
 * @param {string[]} allowed what it may import of ours, beside itself
 * @param {string} comment
 */
function room(folder, allowed, comment) {
  return {
    name: folder,
    severity: 'error',
    comment,
    from: { path: `^src/${folder}/` },
    to: { path: '^src/', pathNot: [folder, ...allowed].map((name) => `^src/${name}`) },
  };
}

const STORE = 'registry/store/';
const LOWER = ['lib/', 'protocol/'];
/** How the registry and its logs see each other. */
const LOG_PORT = ['registry/log.ts', 'registry/local-copy.ts', 'registry/entry.ts'];
/** What all rooms of the gateway share. */
const GATEWAY_BASE = ['gateway/settings.ts', 'gateway/clients.ts', 'gateway/drain.ts'];
/** What all rooms of the client share. */
const CLIENT_BASE = ['protocol/', 'client/(content|emitter|errors|hub-url|refusal|scheduler|search).ts'];

export default {
  forbidden: [
    {
      name: 'no-circles',
      severity: 'error',
      comment:
        'Files that import each other in a circle, types included, can only be understood all at once.',
      from: { path: '^(?:src|web)/' },
      to: { circular: true },
    },
    {
      name: 'web',
      severity: 'error',
      comment: 'web is the dashboard: the client, as everybody has it, is its only way to a hub.',
      from: { path: '^web/' },
      to: { path: '^src/', pathNot: '^src/client/index.ts$' },
    },
    {
      name: 'web/model',
      severity: 'error',
      comment: 'web/model is what can be tested without a browser: it knows no component and no document.',
      from: { path: '^web/model/' },
      to: { path: '^(?:web/(?!model/)|node_modules/(?:preact|@preact)/)' },
    },
    room('lib', [], 'src/lib knows nothing of providers: it imports nothing of ours.'),
    room(
      'protocol',
      [],
      'src/protocol is what all parts speak, in browsers too: it imports nothing of ours.',
    ),
    room(
      'registry/store',
      LOWER,
      'src/registry/store is what is held in memory: it knows nothing of lists, writes and the file.',
    ),
    room(
      'registry/lists',
      [...LOWER, STORE, 'registry/change-log.ts'],
      'src/registry/lists only reads the store, and the change log for what it was.',
    ),
    room(
      'registry/answers',
      [...LOWER, STORE, 'registry/change-log.ts'],
      'src/registry/answers only reads the store, and the change log for what it was.',
    ),
    room(
      'registry/mirror',
      [...LOWER, STORE, ...LOG_PORT, 'registry/local-order.ts'],
      'src/registry/mirror is one way of keeping what is known: it knows the port and the rows, and no more.',
    ),
    room(
      'registry/etcd',
      [...LOWER, STORE, ...LOG_PORT],
      'src/registry/etcd is one way of keeping what is known: it knows the port and the records, and no more.',
    ),
    room(
      'registry/etcd/client',
      ['lib/timers.ts'],
      'src/registry/etcd/client is how etcd is asked; it must not know what for.',
    ),
    room('registry', LOWER, 'src/registry is what is known; it must not know who is connected.'),
    room(
      'streams',
      [...LOWER, 'registry/'],
      'src/streams is who is told what; it must not know sockets. It imports lib, protocol and registry.',
    ),
    room('vitals', ['protocol/'], 'src/vitals is what the hub is like; it is told, and asks nobody itself.'),
    room(
      'gateway',
      [...LOWER, 'registry/', 'streams/', 'vitals/'],
      'src/gateway is who is connected; it imports lib, protocol, registry, streams and vitals.',
    ),
    room(
      'gateway/outgoing',
      [...LOWER, 'gateway/transports/port.ts', ...GATEWAY_BASE],
      'src/gateway/outgoing is what waits to leave; it must not know what sends it.',
    ),
    room(
      'gateway/events',
      [
        ...LOWER,
        'streams/',
        'vitals/',
        'gateway/connections/subscription-room.ts',
        'gateway/transports/port.ts',
        ...GATEWAY_BASE,
      ],
      'src/gateway/events is subscriptions without a WebSocket.',
    ),
    room(
      'gateway/transports',
      LOWER,
      'src/gateway/transports is how bytes come and go; it must not know what the hub does with them.',
    ),
    room(
      'http',
      [...LOWER, 'registry/'],
      'src/http is plain functions from request to response; it imports lib, protocol and registry.',
    ),
    room(
      'demo',
      ['config.ts', 'server.ts', 'client/'],
      'src/demo is a hub with providers that nobody depends on.',
    ),
    {
      name: 'client-reads-loosely',
      severity: 'error',
      comment:
        'The exact schemas of what a hub sends are for tests: clients take more than that, and browsers need not load them.',
      from: { path: '^src/client/' },
      to: { path: '^src/protocol/frames/frames-down-schemas' },
    },
    room(
      'client',
      ['protocol/'],
      'src/client runs with providers and requestors, in browsers too; it imports src/protocol only.',
    ),
    room(
      'client/connection',
      CLIENT_BASE,
      'src/client/connection keeps a connection to a hub; it must not know what is said over it.',
    ),
    room('client/signing', CLIENT_BASE, 'src/client/signing is keys, signers and proofs; it knows no hub.'),
    room(
      'client/session',
      [...CLIENT_BASE, 'client/connection/', 'client/signing/'],
      'src/client/session is what providers do over a connection.',
    ),
    room(
      'client/watch',
      [...CLIENT_BASE, 'client/connection/'],
      'src/client/watch is what requestors do over a connection.',
    ),
    room(
      'client/http',
      [...CLIENT_BASE, 'client/connection/frames.ts', 'client/signing/'],
      'src/client/http is the plain HTTP interface; it needs no connection.',
    ),
  ],
  options: {
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
  },
};
