import assert from 'node:assert/strict';
import { mock, test } from 'node:test';

import { muteStdout, unmuteStdout, withMutedStdout } from '../src/muted-stdout';

unmuteStdout();

/** Return what reaches standard output while `run` is called; the method of the class is what muting covers. */
function reached(run: () => void): string[] {
  const written: string[] = [];
  const stream = Object.getPrototypeOf(process.stdout) as { write: (chunk: string) => boolean };
  const write = mock.method(stream, 'write', (chunk: string) => { written.push(chunk); return true; });
  try {
    run();
  } finally {
    write.mock.restore();
  }
  return written;
}

test('nothing that is printed while muted is seen, all before and after is', () => {
  const written = reached(() => {
    process.stdout.write('before');
    assert.equal(withMutedStdout(() => { process.stdout.write('secret'); return 7; }), 7);
    process.stdout.write('after');
  });
  assert.deepEqual(written, ['before', 'after']);
});

test('an error ends the muting', () => {
  const written = reached(() => {
    assert.throws(() => withMutedStdout(() => { throw new Error('oh no'); }), /oh no/);
    process.stdout.write('after');
  });
  assert.deepEqual(written, ['after']);
});

test('muting twice and unmuting twice do no harm', () => {
  const written = reached(() => {
    muteStdout();
    muteStdout();
    process.stdout.write('secret');
    unmuteStdout();
    unmuteStdout();
    process.stdout.write('after');
  });
  assert.deepEqual(written, ['after']);
});
