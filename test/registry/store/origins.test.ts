import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../../support/properties.js';
import { Origins } from '../../../src/registry/store/origins.js';
import { sequences } from '../../support/worlds/steps.js';

test('it counts like somebody who keeps a list of slots', () => {
  const step = fc.record({
    slot: fc.oneof(fc.nat(5), fc.constantFrom(1023, 1024, 5000)),
    origin: fc.constantFrom(null, 'a', 'b', 'c', '__proto__'),
  });
  fc.assert(
    fc.property(sequences(step, 60), (steps) => {
      const origins = new Origins();
      const list = new Map<number, string | null>();
      for (const { slot, origin } of steps) {
        origins.set(slot, origin);
        list.set(slot, origin);
        for (const one of ['a', 'b', 'c', '__proto__']) {
          assert.equal(origins.count(one), [...list.values()].filter((other) => other === one).length);
          for (const [known, from] of list) assert.equal(origins.isFrom(known, one), from === one);
        }
      }
    }),
  );
});
