/** Starts the library and sees it to its end. */

import { spawn } from 'node:child_process';
import path from 'node:path';

import type { Cancelling } from './cancelling';
import { type Candidate, candidates, NoPython, NOT_BUILT_FOR, shown, TOO_OLD } from './python';
import type { Request } from './request';

/** `-I`: neither PYTHON* nor the user's own packages count. `-u`: progress is seen as it happens. */
const PYTHON_FLAGS = ['-I', '-X', 'utf8', '-u'];
/** How a Python without these flags (2.7) refuses them; any other program's way to say the same. */
const WRONG_USAGE = 2;
/** What Windows' placeholder for a Python that is not installed exits with. */
const PLACEHOLDER = 9009;

/** How a process ended, or why it could not begin. */
interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly notStarted?: NodeJS.ErrnoException;
}

/**
 * Run the library with the first Python that will do. Returns once it has ended well and its result file is there.
 * Throws when no Python will do, and when it ends in any other way.
 */
export async function runLibrary(request: Request, folder: string, location: string, cancelling: Cancelling): Promise<void> {
  const named = request.inputs['pythonPath']?.trim() ?? '';
  const environment = environmentFor(request);
  const tried: string[] = [];
  for (const candidate of candidates(named, location, process.platform)) {
    const ended = await run(candidate, [...PYTHON_FLAGS, path.join(folder, 'python', 'start.py')], environment, cancelling);
    if (ended.code === 0) return;
    if (cancelling.requested) throw new Error('Cancelled, before the library could say how far it got.');
    const reason = await unfit(candidate, ended, cancelling);
    if (reason === undefined) throw new Error(`${shown(candidate)} ended ${spoken(ended)} and left no result.`);
    tried.push(`${shown(candidate)} (${reason})`);
  }
  throw new NoPython(tried, named !== '');
}

/** The agent's environment without PYTHON*, and the request. task-lib has taken inputs and secrets out of it. */
function environmentFor(request: Request): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !name.toUpperCase().startsWith('PYTHON'));
  return { ...Object.fromEntries(kept), ECS_CD_TASK: JSON.stringify(request) };
}

/** Run a program to its end; both of its outputs are our one output, so that their order is kept. */
async function run(
  candidate: Candidate, args: readonly string[], env: NodeJS.ProcessEnv, cancelling: Cancelling,
): Promise<Ended> {
  return new Promise((resolve) => {
    // Not `windowsHide`: a child with a console of its own would not hear the agent's Ctrl+C.
    const child = spawn(candidate.command, [...candidate.args, ...args], { env, stdio: ['ignore', 1, 1] });
    child.once('error', (notStarted) => { resolve({ code: null, signal: null, notStarted }); });
    child.once('exit', (code, signal) => { resolve({ code, signal }); });
    cancelling.watch(child);
  });
}

/** Return why a candidate cannot run the library, or undefined when the library did run. */
async function unfit(candidate: Candidate, ended: Ended, cancelling: Cancelling): Promise<string | undefined> {
  if (ended.notStarted !== undefined) {
    const code = ended.notStarted.code ?? ended.notStarted.message;
    return code === 'ENOENT' ? 'not found' : `cannot be started: ${code}`;
  }
  if (ended.code === TOO_OLD) return 'older than 3.10';
  if (ended.code === NOT_BUILT_FOR) return 'this extension holds no build for it; see the lines above';
  if (ended.code === PLACEHOLDER && process.platform === 'win32') return 'not installed';
  if (ended.code === WRONG_USAGE) return await understandsFlags(candidate, cancelling) ? undefined : 'not a Python 3';
  return undefined;
}

async function understandsFlags(candidate: Candidate, cancelling: Cancelling): Promise<boolean> {
  const ended = await run(candidate, [...PYTHON_FLAGS, '-c', 'pass'], { ...process.env }, cancelling);
  return ended.code === 0;
}

function spoken({ code, signal }: Ended): string {
  return signal === null ? `with exit code ${String(code)}` : `by ${signal}`;
}
