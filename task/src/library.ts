/** Starts the library and sees it to its end. */

import { spawn } from 'node:child_process';
import path from 'node:path';

import type { Cancellation } from './cancellation';
import {
  type Candidate, candidates, commandLine, NO_NATIVE_MODULE, NoPythonError, OLDEST_PYTHON, PYTHON_TOO_OLD,
} from './python';
import type { Request } from './request';

/** `-I`: neither PYTHON* nor the user's own packages count. `-u`: progress is seen as it happens. */
const PYTHON_FLAGS = ['-I', '-X', 'utf8', '-u'];
/** How a Python without these flags (2.7) refuses them; any other program's way to say the same. */
const WRONG_USAGE = 2;
/** What Windows' placeholder for a Python that is not installed exits with. */
const PLACEHOLDER = 9009;

/** How a process ended, or why it could not begin. */
interface ExitStatus {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly notStarted?: NodeJS.ErrnoException;
}

/**
 * Run the library with the first Python that will do. Returns once it has exited with 0, which says that its result
 * file is there. Throws when no Python will do, and when it ends in any other way.
 */
export async function runLibrary(
  request: Request, folder: string, location: string, cancellation: Cancellation,
): Promise<void> {
  const named = request.inputs['pythonPath']?.trim() ?? '';
  const environment = environmentFor(request);
  const tried: string[] = [];
  for (const candidate of candidates(named, location, process.platform)) {
    const status = await run(candidate, [...PYTHON_FLAGS, path.join(folder, 'python', 'start.py')], environment, cancellation);
    if (status.code === 0) return;
    if (cancellation.requested) throw new Error('Cancelled before the library could report how far it got.');
    const reason = await whyUnusable(candidate, status, cancellation);
    if (reason === undefined) throw new Error(`${commandLine(candidate)} ended ${describeExit(status)} and left no result.`);
    tried.push(`${commandLine(candidate)} (${reason})`);
  }
  throw new NoPythonError(tried, named !== '');
}

/** The agent's environment without PYTHON*, and the request. task-lib has taken inputs and secrets out of it. */
function environmentFor(request: Request): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !name.toUpperCase().startsWith('PYTHON'));
  return { ...Object.fromEntries(kept), ECS_CD_TASK: JSON.stringify(request) };
}

/** Run a program to its end; both of its outputs are our one output, so that their order is kept. */
async function run(
  candidate: Candidate, args: readonly string[], env: NodeJS.ProcessEnv, cancellation: Cancellation,
): Promise<ExitStatus> {
  return new Promise((resolve) => {
    // Not `windowsHide`: a child with a console of its own would not hear the agent's Ctrl+C.
    const child = spawn(candidate.command, [...candidate.args, ...args], { env, stdio: ['ignore', 1, 1] });
    child.once('error', (notStarted) => { resolve({ code: null, signal: null, notStarted }); });
    child.once('exit', (code, signal) => { resolve({ code, signal }); });
    cancellation.watch(child);
  });
}

/** Return why a candidate cannot run the library, or undefined when the library did run. */
async function whyUnusable(candidate: Candidate, status: ExitStatus, cancellation: Cancellation): Promise<string | undefined> {
  if (status.notStarted !== undefined) {
    const code = status.notStarted.code ?? status.notStarted.message;
    return code === 'ENOENT' ? 'not found' : `cannot be started: ${code}`;
  }
  if (status.code === PYTHON_TOO_OLD) return `older than ${OLDEST_PYTHON}`;
  if (status.code === NO_NATIVE_MODULE) return 'the extension has no build of pydantic-core for it';
  if (status.code === PLACEHOLDER && process.platform === 'win32') return 'not installed';
  if (status.code === WRONG_USAGE) return await understandsFlags(candidate, cancellation) ? undefined : 'not a Python 3';
  return undefined;
}

async function understandsFlags(candidate: Candidate, cancellation: Cancellation): Promise<boolean> {
  const status = await run(candidate, [...PYTHON_FLAGS, '-c', 'pass'], { ...process.env }, cancellation);
  return status.code === 0;
}

function describeExit({ code, signal }: ExitStatus): string {
  return signal === null ? `with exit code ${String(code)}` : `by ${signal}`;
}
