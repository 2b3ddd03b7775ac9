/**
 * Silence while task-lib reads secrets: it prints every value it returns as a debug message, and the password of the
 * agent's proxy even as it is loaded. Importing this module begins the silence, so that it can precede that.
 */

export function mute(): void {
  process.stdout.write = () => true;
}

export function unmute(): void {
  // What `mute` put over the method of the stream's class.
  Reflect.deleteProperty(process.stdout, 'write');
}

/** Call `read` in silence. */
export function quietly<T>(read: () => T): T {
  mute();
  try {
    return read();
  } finally {
    unmute();
  }
}

mute();
