import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';

import { Cancellation, SIGNALS } from '../src/cancellation';
import { runLibrary } from '../src/library';
import { NO_NATIVE_MODULE, PYTHON_TOO_OLD } from '../src/python';
import type { Request } from '../src/request';
import { temporaryFolder } from './agent';

const skip = process.platform === 'win32' ? 'shell scripts stand in for Python' : false;
const REQUEST = JSON.parse(readFileSync(path.join('contract', 'request.json'), 'utf8')) as Request;

let folder = '';
const before = { ...process.env };

beforeEach(() => {
  folder = temporaryFolder();
  process.env['PATH'] = path.join(folder, 'path');
});
afterEach(() => {
  process.env = { ...before };
  for (const signal of SIGNALS) process.removeAllListeners(signal);
});

/** Put a program there that a shell runs, with `$1` and so on what Python is given. */
function program(name: string, script: string): string {
  const file = path.join(folder, name);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, `#!/bin/sh\n${script}\n`);
  chmodSync(file, 0o755);
  return file;
}

async function run(pythonPath = '', location = ''): Promise<void> {
  const request = { ...REQUEST, inputs: pythonPath === '' ? {} : { pythonPath } };
  await runLibrary(request, path.join(folder, 'task'), location, new Cancellation());
}

test('the library is started isolated, with the request in its environment and no variable of Python\'s', { skip }, async () => {
  const seen = path.join(folder, 'seen');
  program('path/python3', `echo "$*" > '${seen}'; /usr/bin/env >> '${seen}'`);
  Object.assign(process.env, { PYTHONPATH: '/elsewhere', PythonHome: '/nowhere', BUILD_BUILDID: '101' });
  await run();
  const [args, ...environment] = readFileSync(seen, 'utf8').split('\n');
  assert.equal(args, `-I -X utf8 -u ${path.join(folder, 'task', 'python', 'start.py')}`);
  assert.ok(environment.includes('BUILD_BUILDID=101'));
  assert.ok(environment.includes(`ECS_CD_TASK=${JSON.stringify({ ...REQUEST, inputs: {} })}`));
  assert.deepEqual(environment.filter((line) => /^python/i.test(line)), []);
});

test('a Python that cannot run it gives way to the next', { skip }, async () => {
  const ran = path.join(folder, 'ran');
  program('chosen/bin/python3', `exit ${String(PYTHON_TOO_OLD)}`);
  program('chosen/bin/python', `exit ${String(NO_NATIVE_MODULE)}`);
  program('path/python', `echo yes > '${ran}'`);
  await run('', path.join(folder, 'chosen'));
  assert.equal(readFileSync(ran, 'utf8'), 'yes\n');
});

test('where none will do, each is named with its reason', { skip }, async () => {
  program('chosen/bin/python3', `exit ${String(PYTHON_TOO_OLD)}`);
  program('chosen/bin/python', `exit ${String(NO_NATIVE_MODULE)}`);
  program('path/python3', 'exit 2');
  const chosen = path.join(folder, 'chosen', 'bin');
  await assert.rejects(run('', path.join(folder, 'chosen')), (error: Error) => {
    assert.equal(error.name, 'NoPythonError');
    const tried = [
      `${path.join(chosen, 'python3')} (older than 3.10)`,
      `${path.join(chosen, 'python')} (the extension has no build of pydantic-core for it)`,
      'python3 (not a Python 3)',
      'python (not found)',
    ];
    assert.ok(error.message.includes(`Tried: ${tried.join('; ')}.`), error.message);
    return true;
  });
});

test('a program that may not be run is named with the system\'s reason', { skip }, async () => {
  const file = program('mine', 'exit 0');
  chmodSync(file, 0o644);
  await assert.rejects(run(file), /mine \(cannot be started: EACCES\)/);
});

test('the library itself may exit as a Python 2 would: it is not run again', { skip }, async () => {
  const count = path.join(folder, 'count');
  program('path/python3', `test "$5" = -c && exit 0; test "$6" = pass && exit 0; echo run >> '${count}'; exit 2`);
  program('path/python', 'exit 0');
  await assert.rejects(run(), /^Error: python3 ended with exit code 2 and left no result\.$/);
  assert.equal(readFileSync(count, 'utf8'), 'run\n');
});

test('a library that fails is not tried with another Python', { skip }, async () => {
  program('path/python3', 'exit 1');
  program('path/python', 'exit 0');
  await assert.rejects(run(), /python3 ended with exit code 1 and left no result/);
});

test('a library that a signal ends is reported by the signal\'s name', { skip }, async () => {
  program('path/python3', 'kill -9 $$');
  await assert.rejects(run(), /python3 ended by SIGKILL and left no result/);
});

test('one that is cancelled is reported as such, and no other Python is tried', { skip }, async () => {
  const ran = path.join(folder, 'ran');
  program('path/python3', `trap 'kill $!; exit ${String(PYTHON_TOO_OLD)}' INT; /bin/sleep 60 & kill -INT $PPID; wait`);
  program('path/python', `echo yes > '${ran}'`);
  await assert.rejects(run(), /Cancelled before the library could report how far it got/);
  assert.throws(() => readFileSync(ran));
});
