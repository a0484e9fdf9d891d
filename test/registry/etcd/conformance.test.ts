import { WITHOUT_ETCD } from '../../support/hubs/etcd.js';

// What the contract says of writes, sessions and streams, at a random one of three hubs that share an etcd: the part of
// `npm run conformance` that is quick. The variable is read when the hubs are started.
process.env['TEST_HUB'] = 'etcd3';
if (WITHOUT_ETCD === false) {
  await import('../../conformance/advertising/http-replay.test.js');
  await import('../../conformance/advertising/http-withdraw.test.js');
  await import('../../conformance/sessions/websocket-takeover.test.js');
}
