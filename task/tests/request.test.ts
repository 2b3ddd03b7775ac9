import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';

import { withMutedStdout } from '../src/muted-stdout';
import { readRequest, type Request, secretsOf } from '../src/request';
import { connection, inputs, printed, startTask, temporaryFolder, variables } from './agent';

/** A request with everything in it; `tests/integration/azure_task/test_node_contract.py` holds the Python side to the same file. */
const CONTRACT = JSON.parse(readFileSync(path.join('contract', 'request.json'), 'utf8')) as Request;

/** Return the request of a task that has the inputs of the contract. */
function request(environment: Readonly<Record<string, string>>): Request {
  startTask(environment);
  const folder = temporaryFolder();
  const names = [...Object.keys(CONTRACT.inputs), 'templateParameters', 'pipeline'];
  writeFileSync(path.join(folder, 'task.json'), JSON.stringify({ inputs: names.map((name) => ({ name })) }));
  return withMutedStdout(() => readRequest(folder));
}

function everything(): Record<string, string> {
  const { aws, azureDevOps, awsVariables, proxy } = CONTRACT;
  assert.ok(aws !== null && azureDevOps !== null && proxy !== null);
  return {
    ...inputs(CONTRACT.inputs),
    ...connection('SYSTEMVSSCONNECTION', 'https://dev.azure.com/acme', 'OAuth', { AccessToken: CONTRACT.accessToken }),
    ...connection(aws.connection, 'https://aws.amazon.com', 'UsernamePassword', aws.parameters),
    ...connection(CONTRACT.inputs['azureDevOpsConnection'] ?? '', azureDevOps.url, azureDevOps.scheme, { apitoken: azureDevOps.token }),
    ...variables(
      {
        'AWS.AccessKeyID': awsVariables.accessKeyId, 'AWS.Region': awsVariables.region,
        'aws.rolecredential.maxduration': awsVariables.maxDuration,
        'Agent.ProxyUrl': proxy.url, 'Agent.ProxyUsername': proxy.username,
        'Agent.ProxyBypassList': JSON.stringify(proxy.bypass),
        'Agent.CAInfo': CONTRACT.caFile, 'Agent.SkipCertValidation': 'True',
      },
      {
        'AWS.SecretAccessKey': awsVariables.secretAccessKey, 'AWS.SessionToken': awsVariables.sessionToken,
        'Agent.ProxyPassword': proxy.password,
      },
    ),
  };
}

test('all that an agent can give becomes the request of the contract', () => {
  const made = request(everything());
  assert.deepEqual({ ...made, resultFile: '' }, { ...CONTRACT, resultFile: '' });
});

test('the result file lies in the agent\'s temporary folder, at a new place each time', () => {
  const first = request({});
  assert.equal(path.dirname(first.resultFile), process.env['AGENT_TEMPDIRECTORY']);
  assert.match(path.basename(first.resultFile), /^ecs-cd-[0-9a-f-]{36}\.json$/);
  assert.notEqual(request({}).resultFile, first.resultFile);
});

test('what is not given is null or empty', () => {
  const made = request({});
  assert.deepEqual({ ...made, resultFile: '' }, {
    version: 1, inputs: {}, aws: null, azureDevOps: null, accessToken: '',
    awsVariables: { accessKeyId: '', secretAccessKey: '', sessionToken: '', region: '', maxDuration: '' },
    proxy: null, caFile: '', skipCertificateValidation: false, resultFile: '',
  });
});

test('inputs are handed on untouched, those left empty are not', () => {
  const given = { templateParameters: 'A=1\nB= two ; ##vso[x]%25 \\ ü' };
  assert.deepEqual(request(inputs({ ...given, pipeline: '' })).inputs, given);
});

for (const [scheme, name] of [['Token', 'apitoken'], ['OAuth', 'AccessToken'], ['UsernamePassword', 'password']] as const) {
  test(`the token of a connection to Azure DevOps is found under the scheme ${scheme}`, () => {
    const made = request({
      ...inputs({ azureDevOpsConnection: 'c1' }), ...connection('c1', 'https://dev.azure.com/other', scheme, { [name]: 'token-1' }),
    });
    assert.deepEqual(made.azureDevOps, { url: 'https://dev.azure.com/other', token: 'token-1', scheme });
  });
}

test('a proxy without a bypass list bypasses nothing', () => {
  assert.deepEqual(request(variables({ 'Agent.ProxyUrl': 'http://proxy:3128' })).proxy, {
    url: 'http://proxy:3128', username: '', password: '', bypass: [],
  });
});

for (const list of ['[oops', '{}', '[1]', '"a"']) {
  test(`the bypass list ${list} is refused by its variable's name`, () => {
    const environment = variables({ 'Agent.ProxyUrl': 'http://proxy:3128', 'Agent.ProxyBypassList': list });
    assert.throws(() => request(environment), /Agent\.ProxyBypassList/);
  });
}

test('every secret of a request is named, and nothing else of it', () => {
  assert.deepEqual(secretsOf(CONTRACT).sort(), [
    'external-id', 'password-of-the-proxy', 'secret-of-the-connection', 'secret-of-the-variables',
    'session-of-the-connection', 'session-of-the-variables', 'token-of-the-connection', 'token-of-the-job',
  ]);
  assert.deepEqual(secretsOf(request({})), []);
});

test('no secret is left in the environment, nor printed but as a debug message, which is muted', () => {
  const lines = printed(() => { request(everything()); });
  const seen = [...lines, ...Object.values(process.env)].join('\n');
  assert.deepEqual(secretsOf(CONTRACT).filter((secret) => seen.includes(secret)), []);
});
