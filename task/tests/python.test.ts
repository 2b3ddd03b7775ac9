import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';

import { candidates, commandLine, NoPythonError } from '../src/python';

test('a Python that the user names is the only one', () => {
  for (const platform of ['linux', 'win32'] as const) {
    assert.deepEqual(candidates('/opt/mine', '/chosen', platform), [{ command: '/opt/mine', args: [] }]);
  }
});

test('the choice of UsePythonVersion comes before those on PATH', () => {
  const folder = path.join('tools', 'Python');
  assert.deepEqual(candidates('', folder, 'linux').map(commandLine), [
    path.join(folder, 'bin', 'python3'), path.join(folder, 'bin', 'python'), 'python3', 'python',
  ]);
  assert.deepEqual(candidates('', folder, 'win32').map(commandLine), [
    path.join(folder, 'python.exe'), 'python3', 'python', 'py -3',
  ]);
});

test('without a choice those on PATH are tried, and the launcher on Windows alone', () => {
  assert.deepEqual(candidates('', '', 'darwin').map(commandLine), ['python3', 'python']);
  assert.deepEqual(candidates('', '', 'win32').map(commandLine), ['python3', 'python', 'py -3']);
});

test('the error names what was tried and what to do', () => {
  const found = new NoPythonError(['python3 (not found)', 'python (older than 3.10)'], false);
  assert.match(found.message, /Tried: python3 \(not found\); python \(older than 3\.10\)\. /);
  assert.match(found.message, /UsePythonVersion@0.*Install Python 3\.10 or newer on the agent, or name it in the input 'pythonPath'\.$/);
  const named = new NoPythonError(['/opt/mine (not found)'], true);
  assert.match(named.message, /Name another one in the input 'pythonPath', or leave it out\.$/);
  assert.doesNotMatch(named.message, /Install/);
});
