import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { RunningProcess, scratchFolder } from '../process/hub-process.js';

interface Step {
  title: string;
  usually: string;
  progress?: () => string;
  hint?: string;
  inBackground?: boolean;
  work: (program: (name: string, args: string[]) => Promise<void>) => Promise<void>;
}

interface Out {
  isTTY: boolean;
  columns?: number;
  write: (text: string | Buffer) => void;
}

const STEPS = new URL('../../../scripts/steps.mjs', import.meta.url).href;
const { runSteps } = (await import(STEPS)) as {
  runSteps: (steps: Step[], out: Out) => Promise<void>;
};

/** Runs one step that takes so many milliseconds. @returns All that was written. */
async function watch(t: TestContext, terminal: object, ms: number): Promise<string> {
  t.mock.timers.enable({ apis: ['setInterval', 'Date'] });
  let text = '';
  let done = 0;
  const out = { isTTY: false, ...terminal, write: (more: string | Buffer) => void (text += more.toString()) };
  const step: Step = {
    title: 'Packing',
    usually: 'a minute',
    progress: () => `${done} of 9`,
    work: async (program) => {
      await program(process.execPath, ['-e', 'console.log("a note")']);
      while (Date.now() < ms) {
        t.mock.timers.tick(500);
        done = Math.min(9, Math.floor(Date.now() / 5000));
      }
    },
  };
  await runSteps([step], out);
  return text;
}

test('in a log, a step says what it does, now and then how far it is, and what its programs wrote', async (t) => {
  assert.equal(
    await watch(t, {}, 25_000),
    `[1/1] Packing, usually a minute
a note
[1/1] Packing: 1 of 9, 10 s
[1/1] Packing: 3 of 9, 20 s
[1/1] Packing: done in 25 s
`,
  );
});

test('on a terminal, how far a step is stays in one line that fits', async (t) => {
  const text = await watch(t, { isTTY: true, columns: 24 }, 25_000);
  const lines = text.split('\n');
  assert.equal(lines.length, 3, text);
  assert.match(lines[0]!, /a note$/);
  const shown = lines[1]!.split('\r\u001b[K');
  assert.ok(shown.includes('[1/1] Packing: 3 of 9, '), text);
  assert.equal(shown.at(-1), '[1/1] Packing: done in ');
  assert.ok(shown.every((line) => line.length < 24));
});

test('on a terminal that has been told no size, lines are cut at 80 columns', async (t) => {
  const text = await watch(t, { isTTY: true, columns: 0 }, 1000);
  assert.ok(text.endsWith('[1/1] Packing: done in 1 s\n'), text);
});

test('a program that fails ends the steps with its status, and the step says what helps', async () => {
  let later = false;
  const steps: Step[] = [
    {
      title: 'Compiling',
      usually: 'a minute',
      hint: 'Install a compiler.',
      work: (program) => program(process.execPath, ['-e', 'console.error("no compiler"); process.exit(7)']),
    },
    { title: 'Next', usually: 'a minute', work: () => Promise.resolve(void (later = true)) },
  ];
  let text = '';
  const out = { isTTY: false, write: (more: string | Buffer) => void (text += more.toString()) };
  await assert.rejects(runSteps(steps, out), { status: 7, message: /failed\nInstall a compiler\.$/ });
  assert.match(text, /no compiler/);
  assert.equal(later, false);
});

test('a step may run beside the next ones; all are waited for, and each says its own', async () => {
  const { promise: other, resolve: otherBegan } = withResolvers();
  const steps: Step[] = [
    { title: 'Slow', usually: 'a minute', inBackground: true, work: () => other },
    { title: 'Quick', usually: 'a second', work: () => Promise.resolve().then(otherBegan) },
  ];
  let text = '';
  const out = { isTTY: false, write: (more: string | Buffer) => void (text += more.toString()) };
  await runSteps(steps, out);
  const lines = text.trimEnd().split('\n');
  assert.deepEqual(lines.slice(0, 2), ['[1/2] Slow, usually a minute', '[2/2] Quick, usually a second']);
  assert.deepEqual(lines.slice(2).sort(), ['[1/2] Slow: done in 0 s', '[2/2] Quick: done in 0 s']);
});

test('where a step fails beside others, no other begins, and the programs of those that run are stopped', async () => {
  const began: string[] = [];
  const step = (title: string, inBackground: boolean, work: Step['work']): Step => ({
    title,
    usually: 'a minute',
    inBackground,
    work: (program) => {
      began.push(title);
      return work(program);
    },
  });
  const endless = ['-e', 'setInterval(() => {}, 1000)'];
  let stopped: Promise<void> | null = null;
  const steps = [
    step('fails', true, (program) => program(process.execPath, ['-e', 'process.exit(3)'])),
    step('goes on', true, (program) => (stopped = program(process.execPath, endless))),
    step('goes on, too', false, (program) => program(process.execPath, endless)),
    step('comes later', false, () => Promise.resolve()),
  ];
  await assert.rejects(runSteps(steps, { isTTY: false, write: () => undefined }), { status: 3 });
  assert.deepEqual(began, ['fails', 'goes on', 'goes on, too']);
  await assert.rejects(stopped!, /failed/);
});

const NESTED = `const { spawn } = require('node:child_process');
const other = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'inherit' });
console.log('started ' + other.pid);`;

/** Waits until a process is gone. */
async function gone(pid: number): Promise<void> {
  for (;;) {
    try {
      process.kill(pid, 0);
    } catch {
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

test('where a step fails beside others, what their programs have started is stopped, too', async () => {
  const { promise: started, resolve } = withResolvers();
  let text = '';
  const out = {
    isTTY: false,
    write: (more: string | Buffer) => {
      text += more.toString();
      if (text.includes('started ')) resolve();
    },
  };
  const steps: Step[] = [
    {
      title: 'Starts',
      usually: 'a minute',
      inBackground: true,
      work: (program) => program(process.execPath, ['-e', NESTED]),
    },
    {
      title: 'Fails',
      usually: 'a minute',
      work: async (program) => {
        await started;
        await program(process.execPath, ['-e', 'process.exit(3)']);
      },
    },
  ];
  await assert.rejects(runSteps(steps, out), { status: 3 });
  await gone(Number(/started (\d+)/.exec(text)![1]));
});

test(
  'a signal stops the programs and what they have started',
  { skip: process.platform === 'win32' },
  async (t) => {
    const code = `const { runSteps } = await import(${JSON.stringify(STEPS)});
    const work = (program) => program(process.execPath, ['-e', ${JSON.stringify(NESTED)}]);
    await runSteps([{ title: 'Starts', usually: 'a minute', work }]);`;
    const starting = new RunningProcess(process.execPath, ['--input-type=module', '-e', code], {
      cwd: scratchFolder(t),
      env: {},
    });
    const [, pid] = await starting.wrote(/started (\d+)/);
    starting.child.kill('SIGTERM');
    assert.equal((await starting.exited).signal, 'SIGTERM');
    await gone(Number(pid));
  },
);

function withResolvers(): { promise: Promise<void>; resolve: () => void } {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((done) => (resolve = done));
  return { promise, resolve };
}
