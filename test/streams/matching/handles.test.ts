import assert from 'node:assert/strict';
import test from 'node:test';
import fc from '../../support/properties.js';
import { Handles } from '../../../src/streams/matching/handles.js';

test('a handle is never given twice, and those of one word are of one group, whatever is given back meanwhile', () => {
  const steps = fc.array(
    fc.oneof(
      fc.record({ group: fc.integer({ min: -1, max: 4 }), count: fc.integer({ min: 1, max: 40 }) }),
      fc.record({ giveBack: fc.nat(), count: fc.integer({ min: 1, max: 60 }) }),
    ),
    { maxLength: 40 },
  );
  fc.assert(
    fc.property(steps, (plan) => {
      const handles = new Handles();
      const groups = new Map<number, number>();
      let most = 0;
      for (const step of plan) {
        for (let number = 0; number < step.count; number += 1) {
          if ('group' in step) {
            const handle = handles.take(step.group);
            assert.ok(!groups.has(handle) && handle >= 0 && handle < handles.words * 32);
            groups.set(handle, step.group);
          } else if (groups.size > 0) {
            const handle = [...groups.keys()][step.giveBack % groups.size]!;
            handles.giveBack(handle);
            groups.delete(handle);
          }
        }
        assert.equal(handles.size, groups.size);
        const words = new Map<number, number>();
        for (const [handle, group] of groups) {
          assert.equal(words.get(handle >> 5) ?? group, group, 'two groups share a word');
          words.set(handle >> 5, group);
        }
        most = Math.max(most, words.size);
        assert.ok(handles.words <= most, 'there are more words than were ever in use together');
      }
    }),
  );
});

test('a group fills its words before it gets another', () => {
  const handles = new Handles();
  const taken = Array.from({ length: 64 }, () => [handles.take(1), handles.take(2)]).flat();
  assert.equal(handles.words, 4);
  assert.equal(new Set(taken).size, 128);
  for (const handle of taken) handles.giveBack(handle);
  assert.equal(handles.size, 0);
  for (let count = 0; count < 128; count += 1) handles.take(3);
  assert.equal(handles.words, 4);
});
