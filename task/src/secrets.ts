/** Secrets are told to the agent, which then masks them, before anything else is printed. */

import { Writable } from 'node:stream';

import * as tl from 'azure-pipelines-task-lib/task';

const NEWLINE = /\r\n|\r|\n/;

/** Register secrets with the agent. It takes no secret of several lines, so each line is one. */
export function hide(secrets: readonly string[]): void {
  for (const secret of secrets) {
    for (const line of secret.split(NEWLINE)) {
      if (line.trim() !== '') tl.setSecret(line);
    }
  }
}

/** Call `read` with task-lib silent: it prints every value that it returns as a debug message, secrets too. */
export function quietly<T>(read: () => T): T {
  tl.setStdStream(new Writable({ write: (_chunk, _encoding, done) => { done(); } }));
  try {
    return read();
  } finally {
    tl.setStdStream(process.stdout);
  }
}
