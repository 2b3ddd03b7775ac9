/**
 * Standard output muted while task-lib reads secrets: it prints every value it returns as a debug message, and the
 * password of the agent's proxy even as it is loaded. Importing this module mutes, so that it can precede that.
 */

export function muteStdout(): void {
  process.stdout.write = () => true;
}

export function unmuteStdout(): void {
  // What `muteStdout` put over the method of the stream's class.
  Reflect.deleteProperty(process.stdout, 'write');
}

/** Call `read` while nothing that it prints is seen. */
export function withMutedStdout<T>(read: () => T): T {
  muteStdout();
  try {
    return read();
  } finally {
    unmuteStdout();
  }
}

muteStdout();
