import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';

import { type Answer, publishAnswer, readAnswer } from '../src/result';
import { tl } from '../src/task-lib';
import { printed, temporaryFolder } from './agent';

/** An answer of the library; `tests/integration/azure_task/test_node_contract.py` holds the Python side to the same file. */
const CONTRACT = readFileSync(path.join('contract', 'answer.json'), 'utf8');

function write(text: string): string {
  const file = path.join(temporaryFolder(), 'result.json');
  writeFileSync(file, text);
  return file;
}

test('the answer of the contract is read, and its file removed', () => {
  const file = write(CONTRACT);
  assert.deepEqual(readAnswer(file), {
    result: tl.TaskResult.SucceededWithIssues,
    message: 'my-api 101 is deployed to development.',
    outputs: { outcome: 'deployed', imageTag: '101' },
    variables: { buildTag: '101' },
    summaryFile: '/agent/temp/ecs-cd.summary.md',
    reportFile: '/agent/temp/ecs-cd.report.json',
  });
  assert.ok(!existsSync(file));
});

test('each result has its counterpart', () => {
  for (const name of ['Succeeded', 'SucceededWithIssues', 'Failed'] as const) {
    const answer = readAnswer(write(JSON.stringify({ ...JSON.parse(CONTRACT) as object, result: name })));
    assert.equal(answer.result, tl.TaskResult[name]);
  }
});

test('a missing file is an error of its own', () => {
  assert.throws(() => readAnswer(path.join(temporaryFolder(), 'none.json')), /ended without an error and left no result/);
});

for (const [what, change, why] of [
  ['another version', { version: 2 }, /'version' is not 1/],
  ['an unknown result', { result: 'Perfect' }, /'result' is none of Succeeded, SucceededWithIssues, Failed/],
  ['a result that every object has', { result: 'toString' }, /'result' is none of/],
  ['a message that is missing', { message: undefined }, /'message' is not a string/],
  ['an output that is a number', { outputs: { runId: 7 } }, /'runId' is not a string/],
  ['variables in a list', { variables: ['a'] }, /'variables' is not an object/],
  ['variables that are null', { variables: null }, /'variables' is not an object/],
  ['a file that is null', { summaryFile: null }, /'summaryFile' is not a string/],
] as const) {
  test(`an answer with ${what} is refused, and its file removed`, () => {
    const file = write(JSON.stringify({ ...JSON.parse(CONTRACT) as object, ...change }));
    assert.throws(() => readAnswer(file), why);
    assert.ok(!existsSync(file));
  });
}

test('what is no JSON object is refused', () => {
  assert.throws(() => readAnswer(write('{')), /cannot be read: it is not JSON\.$/);
  assert.throws(() => readAnswer(write('[]')), /cannot be read: it is not an object\.$/);
});

const ANSWER: Answer = {
  result: tl.TaskResult.Succeeded, message: 'Done.', outputs: {}, variables: {}, summaryFile: '', reportFile: '',
};

test('outputs, variables, summary and report are published, the result is not', () => {
  const [summaryFile, reportFile] = [write('# Summary'), write('{}')];
  const outputs = { imageTag: '101', runUrl: 'https://x/?a=1;b]%' };
  const lines = printed(() => {
    publishAnswer({ ...ANSWER, outputs, variables: { buildTag: '101' }, summaryFile, reportFile });
  });
  assert.deepEqual(lines, [
    '##vso[task.setvariable variable=imageTag;isOutput=true;issecret=false;]101',
    '##vso[task.setvariable variable=runUrl;isOutput=true;issecret=false;]https://x/?a=1;b]%AZP25',
    '##vso[task.setvariable variable=buildTag;isOutput=false;issecret=false;]101',
    `##vso[task.uploadsummary]${summaryFile}`,
    `##vso[task.addattachment type=ecs-cd.report;name=report.json;]${reportFile}`,
  ]);
});

test('files that are not there are not uploaded', () => {
  assert.deepEqual(printed(() => { publishAnswer({ ...ANSWER, summaryFile: '/not/there.md', reportFile: '/not/there.json' }); }), []);
});
