/** The library's answer: read, checked, and handed to the agent. Its shape is the contract in `task/README.md`. */

import { existsSync, readFileSync, rmSync } from 'node:fs';

import { tl } from './task-lib';

const RESULTS = {
  Succeeded: tl.TaskResult.Succeeded,
  SucceededWithIssues: tl.TaskResult.SucceededWithIssues,
  Failed: tl.TaskResult.Failed,
} as const;
const VERSION = 1;
/** Found by the results tab under this type. */
const ATTACHMENT_TYPE = 'ecs-cd.report';
const ATTACHMENT_NAME = 'report.json';

export interface Answer {
  readonly result: tl.TaskResult;
  readonly message: string;
  readonly outputs: Readonly<Record<string, string>>;
  readonly variables: Readonly<Record<string, string>>;
  readonly summaryFile: string;
  readonly reportFile: string;
}

/** Read and remove the result file. Throws when it is not there or not what the contract says. */
export function readAnswer(file: string): Answer {
  if (!existsSync(file)) throw new Error('The library ended without an error and left no result.');
  try {
    return checked(JSON.parse(readFileSync(file, 'utf8')));
  } catch (error) {
    const why = error instanceof SyntaxError ? 'it is not JSON' : error instanceof Error ? error.message : String(error);
    throw new Error(`The library's result cannot be read: ${why}.`, { cause: error });
  } finally {
    rmSync(file, { force: true });
  }
}

/** Give the agent everything but the result itself. */
export function publishAnswer(answer: Answer): void {
  for (const [name, value] of Object.entries(answer.outputs)) tl.setVariable(name, value, false, true);
  for (const [name, value] of Object.entries(answer.variables)) tl.setVariable(name, value);
  // The agent fails a task that uploads a file which is not there.
  if (answer.summaryFile !== '' && existsSync(answer.summaryFile)) tl.uploadSummary(answer.summaryFile);
  if (answer.reportFile !== '' && existsSync(answer.reportFile)) {
    tl.addAttachment(ATTACHMENT_TYPE, ATTACHMENT_NAME, answer.reportFile);
  }
}

function checked(value: unknown): Answer {
  if (!isObject(value)) throw new Error('it is not an object');
  if (value['version'] !== VERSION) throw new Error(`'version' is not ${String(VERSION)}`);
  return {
    result: resultOf(value['result']),
    message: textOf(value, 'message'),
    outputs: textsOf(value, 'outputs'),
    variables: textsOf(value, 'variables'),
    summaryFile: textOf(value, 'summaryFile'),
    reportFile: textOf(value, 'reportFile'),
  };
}

function resultOf(value: unknown): tl.TaskResult {
  if (typeof value !== 'string' || !Object.hasOwn(RESULTS, value)) {
    throw new Error(`'result' is none of ${Object.keys(RESULTS).join(', ')}`);
  }
  return RESULTS[value as keyof typeof RESULTS];
}

function textOf(object: Record<string, unknown>, key: string): string {
  const value = object[key];
  if (typeof value !== 'string') throw new Error(`'${key}' is not a string`);
  return value;
}

function textsOf(object: Record<string, unknown>, key: string): Record<string, string> {
  const value = object[key];
  if (!isObject(value)) throw new Error(`'${key}' is not an object`);
  for (const name of Object.keys(value)) textOf(value, name);
  return value as Record<string, string>;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
