import assert from 'node:assert/strict';
import { test } from 'node:test';

import { maskSecrets } from '../src/secrets';
import { printed } from './agent';

test('each secret is registered with the agent, and escaped', () => {
  assert.deepEqual(printed(() => { maskSecrets(['one', '50% of;two]']); }), [
    '##vso[task.setsecret]one',
    '##vso[task.setsecret]50%AZP25 of;two]',
  ]);
});

test('of a secret of several lines each line is one, and blank ones are none', () => {
  const lines = printed(() => { maskSecrets(['first\r\nsecond\n\nthird\rfourth\n', '  ', '']); });
  assert.deepEqual(lines, ['first', 'second', 'third', 'fourth'].map((line) => `##vso[task.setsecret]${line}`));
});
