/** The task: read what the agent gives, run the library, hand its result back. `task/README.md` is the contract. */

import { tl } from './task-lib';
import { Cancellation } from './cancellation';
import { runLibrary } from './library';
import { withMutedStdout } from './muted-stdout';
import { readRequest, secretsOf } from './request';
import { publishAnswer, readAnswer } from './result';
import { maskSecrets } from './secrets';

const cancellation = new Cancellation();
let resultIsSet = false;

/** Set the task's result: once, and last. The library has logged its issues itself: the message is none of them. */
function setResult(result: tl.TaskResult, message: string): void {
  if (resultIsSet) return;
  resultIsSet = true;
  tl.command('task.complete', { result: tl.TaskResult[result] }, message);
}

/** Resolves when all that was printed is on its way; on Windows a pipe is written later than asked. */
async function stdoutFlushed(): Promise<void> {
  return new Promise((resolve) => { process.stdout.write('', () => { resolve(); }); });
}

async function main(): Promise<void> {
  const folder = __dirname;
  const request = withMutedStdout(() => readRequest(folder));
  maskSecrets(secretsOf(request));
  await stdoutFlushed();
  await runLibrary(request, folder, tl.getVariable('pythonLocation') ?? '', cancellation);
  const answer = readAnswer(request.resultFile);
  publishAnswer(answer);
  setResult(answer.result, answer.message);
}

function fail(error: unknown): void {
  if (resultIsSet) return;
  resultIsSet = true;
  tl.setResult(tl.TaskResult.Failed, error instanceof Error ? error.message : String(error));
}

/** The last line of defence, in place of task-lib's, which would set a second result and carry on. */
function crash(error: unknown): void {
  cancellation.kill();
  fail(error);
  void stdoutFlushed().then(() => { process.exit(1); });
}

for (const event of ['uncaughtException', 'unhandledRejection']) {
  process.removeAllListeners(event);
  process.on(event, crash);
}
main().catch(fail);
