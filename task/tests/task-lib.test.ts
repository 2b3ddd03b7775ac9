import assert from 'node:assert/strict';
import { mock, test } from 'node:test';

test('task-lib is loaded muted, since it prints what it reads, and unmuted after', async () => {
  Object.assign(process.env, {
    SYSTEM_DEBUG: 'true', AGENT_VERSION: '4.272.0', AGENT_PROXYURL: 'http://proxy:3128',
    SECRET_AGENT_PROXYPASSWORD: 'password-5e', VSTS_SECRET_VARIABLES: '["Agent.ProxyPassword"]',
  });
  const written: string[] = [];
  const stream = Object.getPrototypeOf(process.stdout) as { write: (chunk: string) => boolean };
  const write = mock.method(stream, 'write', (chunk: string) => { written.push(chunk); return true; });
  const { tl } = await import('../src/task-lib');
  tl.debug('loaded');
  write.mock.restore();
  assert.deepEqual(written.map((line) => line.trim()), ['##vso[task.debug]loaded']);
  assert.equal(tl.getVariable('Agent.ProxyPassword'), 'password-5e');
});
