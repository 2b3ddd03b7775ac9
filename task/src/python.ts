/** Which Python to run the library with: the candidates on an agent, tried in order, and what to say if none will do. */

import path from 'node:path';

export const OLDEST_PYTHON = '3.10';
/** Exit codes by which `start.py` says, before it does anything, that another Python may do. It has the same names. */
export const PYTHON_TOO_OLD = 86;
export const NO_NATIVE_MODULE = 87;

export interface Candidate {
  readonly command: string;
  readonly args: readonly string[];
}

/**
 * Return the Pythons to try. One that the user names is the only one: to run another than that would be a surprise.
 * `location` is the variable `pythonLocation` of the task UsePythonVersion.
 */
export function candidates(pythonPath: string, location: string, platform: NodeJS.Platform): Candidate[] {
  if (pythonPath !== '') return [{ command: pythonPath, args: [] }];
  const windows = platform === 'win32';
  const chosen = location === '' ? [] : windows
    ? [path.join(location, 'python.exe')]
    : [path.join(location, 'bin', 'python3'), path.join(location, 'bin', 'python')];
  const found = [...chosen, 'python3', 'python'].map((command) => ({ command, args: [] as string[] }));
  return windows ? [...found, { command: 'py', args: ['-3'] }] : found;
}

/** Return a candidate as a person would type it. */
export function commandLine({ command, args }: Candidate): string {
  return [command, ...args].join(' ');
}

/** No Python on the agent can run the library; `tried` are the candidates with the reason why not. */
export class NoPythonError extends Error {
  constructor(tried: readonly string[], named: boolean) {
    const fix = named
      ? 'Name another one in the input \'pythonPath\', or leave it out.'
      : `Install Python ${OLDEST_PYTHON} or newer on the agent, or name it in the input 'pythonPath'.`;
    super(
      `No Python on this agent can run ecs-cd, which needs Python ${OLDEST_PYTHON} or newer. Tried: ${tried.join('; ')}. `
      + `Add the task UsePythonVersion@0 with versionSpec '3.x' before this one. ${fix}`,
    );
    this.name = 'NoPythonError';
  }
}
