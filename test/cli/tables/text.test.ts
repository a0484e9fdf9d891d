import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cut, displayWidth, wrapped } from '../../../src/cli/tables/text.js';

test('text breaks between words, and within those that are wider than a line', () => {
  assert.deepEqual(wrapped('one two three', 7), ['one two', 'three']);
  assert.deepEqual(wrapped('a https://hub.example.org/ b', 10), ['a', 'https://hu', 'b.example.', 'org/ b']);
  assert.deepEqual(wrapped('', 10), ['']);
});

test('no line is wider than it may be, and no letter is broken, in any script', () => {
  const text = '北京高性能 🚀 Göteborg नमस्ते 计算中心计算中心';
  for (let width = 2; width < 40; width++) {
    const lines = wrapped(text, width);
    for (const line of lines) assert.ok(displayWidth(line) <= width, `${line} in ${width}`);
    assert.equal(lines.join('').replaceAll(' ', ''), text.replaceAll(' ', ''));
    assert.ok(displayWidth(cut(text, width)) <= width);
  }
});

test('a terminal that is narrower than a letter still gets all of them', () => {
  assert.equal(wrapped('北京', 1).join(''), '北京');
});
