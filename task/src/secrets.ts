/** Secrets are told to the agent, which then masks them, before anything else is printed. */

import { tl } from './agent';

const NEWLINE = /\r\n|\r|\n/;

/** Register secrets with the agent. It takes no secret of several lines, so each line is one. */
export function hide(secrets: readonly string[]): void {
  for (const secret of secrets) {
    for (const line of secret.split(NEWLINE)) {
      if (line.trim() !== '') tl.setSecret(line);
    }
  }
}
