import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { flatten, namesOf, readTree } from '../../src/cli/help/command-tree.js';
import { completionScript, SHELLS } from '../../src/cli/help/completion.js';
import { manualPage } from '../../src/cli/help/manual.js';
import { buildProgram, withDefaultCommand } from '../../src/cli/program.js';

const tree = readTree(buildProgram());
const isHere = (program: string): boolean => spawnSync(program, ['--version']).error === undefined;

test('completion and the manual page have every command and flag that help has', () => {
  const page = manualPage(tree, '1.2.3').replaceAll('\\-', '-');
  for (const command of flatten(tree)) {
    const { path, options } = command;
    const name = path.at(-1)!;
    assert.ok(page.includes(path.slice(1).join(' ')), `${name} is missing in the manual page`);
    for (const shell of SHELLS) {
      const script = completionScript(shell, tree);
      for (const word of [...namesOf(command), ...options.flatMap(({ flags }) => flags)]) {
        assert.ok(
          script.includes(shell === 'fish' ? word.replace(/^-+/, '') : word),
          `${word} is missing for ${shell}`,
        );
      }
    }
    for (const { term } of options)
      assert.ok(page.includes(`.B ${term}\n`), `${term} of ${name} is missing in the manual page`);
  }
  assert.ok(!/^['.](?!TH|SH|SS|TP|PP|B |nf|fi)/m.test(page), 'nothing that help says is a command of troff');
});

/** What bash offers after these words, the last of which is being typed. */
function bashOffers(...words: string[]): string[] {
  const typed = words.map((word) => `'${word}'`).join(' ');
  const script = `${completionScript('bash', tree)}
COMP_WORDS=(discovery-hub ${typed}); COMP_CWORD=${words.length}; _discovery_hub; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr } = spawnSync('bash', ['-c', script], { encoding: 'utf8' });
  assert.equal(stderr, '');
  return stdout.split('\n').filter((line) => line !== '');
}

test(
  'bash completes commands, those below them, flags and values',
  { skip: isHere('bash') ? false : 'bash is not here' },
  () => {
    assert.deepEqual(bashOffers('li'), ['list']);
    assert.deepEqual(bashOffers('context', 're'), ['remove']);
    assert.deepEqual(bashOffers('list', '--out'), ['--output']);
    assert.deepEqual(bashOffers('id', '--js'), ['--json'], 'another name of status');
    assert.deepEqual(bashOffers('list', '--cpu', '4', '--sort', 'pri'), ['price', 'price_glm']);
    assert.deepEqual(bashOffers('context', 'add', 'name', '--u'), ['--url']);
    assert.deepEqual(bashOffers('list', '--cpu', ''), [], 'a number is nothing to offer');
  },
);

test('the scripts for zsh and fish are read without a complaint', () => {
  for (const shell of ['zsh', 'fish'] as const) {
    if (!isHere(shell)) continue;
    const { status, stderr } = spawnSync(shell, ['-n'], {
      input: completionScript(shell, tree),
      encoding: 'utf8',
    });
    assert.deepEqual([status, stderr], [0, ''], shell);
  }
});

test('without a command the hub is meant, and what is no command stays one', () => {
  assert.deepEqual(withDefaultCommand([]), ['serve']);
  assert.deepEqual(withDefaultCommand(['--port', '80']), ['serve', '--port', '80']);
  for (const args of [['--help'], ['-V'], ['lst'], ['list', '--json']])
    assert.deepEqual(withDefaultCommand(args), args);
});

test('help fits into 80 columns, but for examples, which are there to be copied', () => {
  for (const { path, notes } of flatten(tree)) {
    const wide = notes.split('\n').filter((line) => line.length > 80 && !/^ {2}\S/.test(line));
    assert.deepEqual(wide, [], path.join(' '));
  }
});
