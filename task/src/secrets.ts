/** Secrets are registered with the agent, which then masks them, before anything else is printed. */

import { tl } from './task-lib';

const NEWLINE = /\r\n|\r|\n/;

/** Have the agent mask these secrets in the log. It takes no secret of several lines, so each line is one. */
export function maskSecrets(secrets: readonly string[]): void {
  for (const secret of secrets) {
    for (const line of secret.split(NEWLINE)) {
      if (line.trim() !== '') tl.setSecret(line);
    }
  }
}
