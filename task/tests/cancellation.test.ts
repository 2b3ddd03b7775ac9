import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { afterEach, beforeEach, mock, test } from 'node:test';

import { Cancellation, GRACE_MILLISECONDS, SIGNALS } from '../src/cancellation';

const WINDOWS = process.platform === 'win32';
const [FIRST, SECOND] = SIGNALS as [NodeJS.Signals, NodeJS.Signals];
/** What reaches the child of a first signal: on Windows the console has sent it already. */
const FORWARDED = WINDOWS ? [] : [FIRST];

class Child extends EventEmitter {
  readonly killed: NodeJS.Signals[] = [];
  kill(signal: NodeJS.Signals): boolean { this.killed.push(signal); return true; }
}

function watched(cancellation: Cancellation): Child {
  const child = new Child();
  cancellation.watch(child as unknown as ChildProcess);
  return child;
}

beforeEach(() => { mock.timers.enable({ apis: ['setTimeout'] }); });
afterEach(() => {
  mock.timers.reset();
  for (const signal of SIGNALS) process.removeAllListeners(signal);
});

test('the first signal is forwarded, a second one is not', () => {
  const cancellation = new Cancellation();
  const child = watched(cancellation);
  assert.equal(cancellation.requested, false);
  process.emit(FIRST);
  process.emit(SECOND);
  assert.equal(cancellation.requested, true);
  assert.deepEqual(child.killed, FORWARDED);
});

test('a process that does not end within the grace period is killed, not before', () => {
  const child = watched(new Cancellation());
  process.emit(FIRST);
  mock.timers.tick(GRACE_MILLISECONDS - 1);
  assert.deepEqual(child.killed, FORWARDED);
  mock.timers.tick(1);
  assert.deepEqual(child.killed, [...FORWARDED, 'SIGKILL']);
});

test('the grace period ends a second or more before the agent\'s second signal', () => {
  const secondSignal = 7500;
  assert.equal(Math.min(GRACE_MILLISECONDS, secondSignal - 1000), GRACE_MILLISECONDS);
});

test('a process that ended is not killed', () => {
  const cancellation = new Cancellation();
  const child = watched(cancellation);
  process.emit(FIRST);
  child.emit('exit');
  mock.timers.tick(GRACE_MILLISECONDS);
  cancellation.kill();
  assert.deepEqual(child.killed, FORWARDED);
});

test('a process that is started after the signal is ended, too', () => {
  const cancellation = new Cancellation();
  process.emit(FIRST);
  const child = watched(cancellation);
  mock.timers.tick(GRACE_MILLISECONDS);
  assert.deepEqual(child.killed, [...FORWARDED, 'SIGKILL']);
});

test('kill ends the process at once, and is harmless without one', () => {
  const cancellation = new Cancellation();
  cancellation.kill();
  const child = watched(cancellation);
  cancellation.kill();
  assert.deepEqual(child.killed, ['SIGKILL']);
});
