/** An agent's side of a task, for tests: the environment that task-lib reads, and the commands that it prints. */

import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import * as internal from 'azure-pipelines-task-lib/internal';

import { tl } from '../src/task-lib';
import { withMutedStdout } from '../src/muted-stdout';

const OF_AN_AGENT = /^(INPUT|ENDPOINT|SECRET|VSTS|AGENT|AWS|SYSTEM)_/;

/** Return a new folder for a test's files. */
export function temporaryFolder(): string {
  return mkdtempSync(path.join(tmpdir(), 'ecs-cd-task-'));
}

/** Start anew as a task whose environment has these variables, and no others of an agent. */
export function startTask(environment: Readonly<Record<string, string>>): void {
  for (const name of Object.keys(process.env)) {
    if (OF_AN_AGENT.test(name)) Reflect.deleteProperty(process.env, name);
  }
  Object.assign(process.env, { AGENT_TEMPDIRECTORY: temporaryFolder() }, environment);
  withMutedStdout(() => { internal._loadData(); });
}

/** Return inputs as the agent puts them into the environment of a task. */
export function inputs(given: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(given).map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value]));
}

/** Return a service connection as the agent puts it into the environment of a task. */
export function connection(
  id: string, url: string, scheme: string, parameters: Readonly<Record<string, string>>,
): Record<string, string> {
  const each = Object.entries(parameters).map(([name, value]) => [`ENDPOINT_AUTH_PARAMETER_${id}_${name.toUpperCase()}`, value]);
  return {
    [`ENDPOINT_URL_${id}`]: url,
    [`ENDPOINT_AUTH_${id}`]: JSON.stringify({ parameters, scheme }),
    [`ENDPOINT_AUTH_SCHEME_${id}`]: scheme,
    ...Object.fromEntries(each) as Record<string, string>,
  };
}

/** Return variables as the agent puts them into the environment of a task, the secret ones apart. */
export function variables(given: Readonly<Record<string, string>>, secret: Readonly<Record<string, string>> = {}): Record<string, string> {
  const key = (name: string): string => name.replaceAll('.', '_').toUpperCase();
  return {
    ...Object.fromEntries(Object.entries(given).map(([name, value]) => [key(name), value])),
    ...Object.fromEntries(Object.entries(secret).map(([name, value]) => [`SECRET_${key(name)}`, value])),
    VSTS_SECRET_VARIABLES: JSON.stringify(Object.keys(secret)),
  };
}

/** Return what task-lib prints while `run` is called, line by line, less its debug messages. */
export function printed(run: () => void): string[] {
  const chunks: string[] = [];
  tl.setStdStream({ write: (chunk: string) => { chunks.push(chunk); } });
  try {
    run();
  } finally {
    tl.setStdStream(process.stdout);
  }
  return chunks.join('').split(/\r?\n/).filter((line) => line !== '' && !line.startsWith('##vso[task.debug]'));
}
