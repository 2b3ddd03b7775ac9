/** The agent cancels a task with a signal, waits 7.5 seconds, sends another, waits 2.5, and kills. */

import type { ChildProcess } from 'node:child_process';

/** What of these 7.5 seconds the library has to end in; the rest is for telling how. */
const GRACE_MILLISECONDS = 5000;
const WINDOWS = process.platform === 'win32';
/** On Windows the agent's two signals are Ctrl+C and Ctrl+Break. */
const SIGNALS: readonly NodeJS.Signals[] = WINDOWS ? ['SIGINT', 'SIGBREAK'] : ['SIGINT', 'SIGTERM'];

/** Passes the first signal on to the process that is running; further ones find it done. */
export class Cancelling {
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
    child.once('exit', () => { this.release(); });
    if (this.signal !== undefined) this.pass(this.signal);
  }

  /** End the process at once, if there is one. */
  kill(): void {
    this.child?.kill('SIGKILL');
  }

  private request(signal: NodeJS.Signals): void {
    if (this.signal !== undefined) return;
    this.signal = signal;
    this.pass(signal);
  }

  private pass(signal: NodeJS.Signals): void {
    if (this.child === undefined) return;
    // On Windows the console has told the child already, and `kill` would end it without a word.
    if (!WINDOWS) this.child.kill(signal);
    this.timer = setTimeout(() => { this.kill(); }, GRACE_MILLISECONDS);
  }

  private release(): void {
    clearTimeout(this.timer);
    this.child = undefined;
  }
}
