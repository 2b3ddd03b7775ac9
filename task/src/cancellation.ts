/** The agent cancels a task with a signal, waits 7.5 seconds, sends another, waits 2.5, and kills. */

import type { ChildProcess } from 'node:child_process';

/** What of these 7.5 seconds the library has to end in; the rest is for reporting how. */
export const GRACE_MILLISECONDS = 5000;
const WINDOWS = process.platform === 'win32';
/** On Windows the agent's two signals are Ctrl+C and Ctrl+Break. */
export const SIGNALS: readonly NodeJS.Signals[] = WINDOWS ? ['SIGINT', 'SIGBREAK'] : ['SIGINT', 'SIGTERM'];

/** Forwards the first signal to the process that is running; further ones change nothing. */
export class Cancellation {
  private child: ChildProcess | undefined;
  private signal: NodeJS.Signals | undefined;
  private timer: NodeJS.Timeout | undefined;

  constructor() {
    for (const signal of SIGNALS) process.on(signal, () => { this.request(signal); });
  }

  get requested(): boolean {
    return this.signal !== undefined;
  }

  /** From now on, this is the process to end. */
  watch(child: ChildProcess): void {
    this.child = child;
    child.once('exit', () => { this.forget(); });
    if (this.signal !== undefined) this.forward(this.signal);
  }

  /** End the process at once, if there is one. */
  kill(): void {
    this.child?.kill('SIGKILL');
  }

  private request(signal: NodeJS.Signals): void {
    if (this.signal !== undefined) return;
    this.signal = signal;
    this.forward(signal);
  }

  private forward(signal: NodeJS.Signals): void {
    if (this.child === undefined) return;
    // On Windows the console has sent it to the child already, and `kill` would end it without a word.
    if (!WINDOWS) this.child.kill(signal);
    this.timer = setTimeout(() => { this.kill(); }, GRACE_MILLISECONDS);
  }

  private forget(): void {
    clearTimeout(this.timer);
    this.child = undefined;
  }
}
