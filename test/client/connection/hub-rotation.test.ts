import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HubRotation } from '../../../src/client/connection/hub-rotation.js';
import { parseHubUrl } from '../../../src/client/hub-url.js';
import { randomOf } from '../../support/random.js';

const HUBS = ['http://a', 'http://b', 'http://c'].map(parseHubUrl);

function rotation(hubs = HUBS, random = () => 0.5): { hubs: HubRotation; time: { now: number } } {
  const time = { now: 1_000_000 };
  return { hubs: new HubRotation(hubs, random, () => time.now), time };
}

test('a single hub is dialled again and again, with ever longer waits', () => {
  const { hubs } = rotation(HUBS.slice(0, 1));
  assert.deepEqual([hubs.failed(), hubs.failed(), hubs.failed()], [250, 500, 1000]);
  hubs.stable();
  assert.equal(hubs.failed(), 250);
});

test('the next hub comes after a short wait, each in turn', () => {
  const { hubs, time } = rotation();
  const dialled: string[] = [];
  for (let turn = 0; turn < 4; turn += 1) {
    const waitMs = hubs.failed();
    assert.ok(waitMs <= 500, `${String(waitMs)} ms`);
    time.now += waitMs;
    dialled.push(hubs.hub.http);
  }
  assert.deepEqual(dialled, ['http://b', 'http://c', 'http://a', 'http://b']);
});

test('a hub that asks to be left alone is, while the others are dialled', () => {
  const { hubs, time } = rotation();
  hubs.failed(3_600_000);
  for (let turn = 0; turn < 20; turn += 1) {
    assert.notEqual(hubs.hub.http, 'http://a');
    time.now += hubs.failed();
  }
});

test('when the clock is set back, no hub is left alone for longer', () => {
  const { hubs, time } = rotation();
  for (let turn = 0; turn < 9; turn += 1) time.now += hubs.failed();
  time.now -= 86_400_000;
  assert.ok(hubs.failed() <= 500);
});

test('whatever fails, no hub is dialled before its own wait is over, and nobody waits longer than for the soonest', (t) => {
  const random = randomOf(t);
  const { hubs, time } = rotation(HUBS, random);
  const waits = new Map<string, number>();
  for (let turn = 0; turn < 500; turn += 1) {
    const present = hubs.hub.http;
    const asked = random() < 0.2 ? Math.floor(random() * 20_000) : 0;
    const failedAt = time.now;
    const waitMs = hubs.failed(asked);
    waits.set(present, failedAt + asked);
    const dialledAt = time.now + waitMs;
    assert.ok(dialledAt >= (waits.get(hubs.hub.http) ?? 0), `${hubs.hub.http} asked to be left alone`);
    // A minute is the longest backoff; one of three hubs that asks for 20 s keeps nobody from the others.
    assert.ok(waitMs <= 80_000);
    time.now = dialledAt + Math.floor(random() * 2000);
    if (random() < 0.3) hubs.stable();
  }
});

test('each hub has its own patience, which others do not end, and a backoff is none', () => {
  const { hubs, time } = rotation(HUBS.slice(0, 2));
  hubs.failed(60_000);
  const present = (): [string, boolean] => [hubs.hub.http, hubs.asksForPatience];
  assert.deepEqual(present(), ['http://b', false]);
  for (let round = 0; round < 100 && present()[0] === 'http://b'; round += 1) {
    time.now += 1000;
    hubs.failed(5000, 0);
  }
  assert.deepEqual(
    present(),
    ['http://a', true],
    'the backoff of b is longer than what is left of the wait of a',
  );
  time.now += 60_000;
  assert.equal(hubs.asksForPatience, false);
});

test('a clock that was set back ends every patience', () => {
  const { hubs, time } = rotation(HUBS.slice(0, 1));
  hubs.failed(60_000);
  assert.equal(hubs.asksForPatience, true);
  time.now -= 3_600_000;
  assert.equal(hubs.asksForPatience, false);
});
