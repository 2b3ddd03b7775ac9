/** The task: read what the agent gives, run the library, hand its result back. `task/README.md` is the contract. */

import { tl } from './agent';
import { Cancelling } from './cancelling';
import { runLibrary } from './library';
import { readRequest, secretsOf } from './request';
import { hand, readAnswer } from './result';
import { hide } from './secrets';
import { quietly } from './silence';

const cancelling = new Cancelling();
let ended = false;

/** Tell the agent the result: once, and last. */
function end(result: tl.TaskResult, message: string): void {
  if (ended) return;
  ended = true;
  tl.setResult(result, message);
}

/** Resolves when all that was printed is on its way; on Windows a pipe is written later than asked. */
async function flushed(): Promise<void> {
  return new Promise((resolve) => { process.stdout.write('', () => { resolve(); }); });
}

async function main(): Promise<void> {
  const folder = __dirname;
  const request = quietly(() => readRequest(folder));
  hide(secretsOf(request));
  await flushed();
  await runLibrary(request, folder, tl.getVariable('pythonLocation') ?? '', cancelling);
  const answer = readAnswer(request.resultFile);
  hand(answer);
  end(answer.result, answer.message);
}

function fail(error: unknown): void {
  end(tl.TaskResult.Failed, error instanceof Error ? error.message : String(error));
}

/** The last line of defence, in place of task-lib's, which would set a second result and carry on. */
function crash(error: unknown): void {
  cancelling.kill();
  fail(error);
  void flushed().then(() => { process.exit(1); });
}

for (const event of ['uncaughtException', 'unhandledRejection']) {
  process.removeAllListeners(event);
  process.on(event, crash);
}
main().catch(fail);
