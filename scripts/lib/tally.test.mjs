import assert from 'node:assert/strict';
import test from 'node:test';
import { tally } from './tally.mjs';

test('cargo nextest', () => {
  assert.deepEqual(tally('     Summary [  12.345s] 245 tests run: 245 passed, 3 skipped\n'), { passed: 245, failed: 0 });
  assert.deepEqual(tally('     Summary [   1.0s] 6/9 tests run: 2 passed (1 slow, 1 leaky), 3 failed, 1 timed out, 0 skipped\n'), { passed: 2, failed: 4 });
  assert.deepEqual(tally('\x1b[32;1m     Summary\x1b[0m [   0.1s] \x1b[1m1\x1b[0m test run: \x1b[1m0\x1b[0m \x1b[32;1mpassed\x1b[0m, \x1b[1m1\x1b[0m \x1b[31;1mfailed\x1b[0m, 0 skipped\n'), { passed: 0, failed: 1 });
});

test('cargo test, once for every binary', () => {
  assert.deepEqual(tally('test result: ok. 12 passed; 0 failed; 0 ignored\ntest result: FAILED. 3 passed; 2 failed; 0 ignored'), { passed: 15, failed: 2 });
});

test('node --test, as prose and as TAP', () => {
  assert.deepEqual(tally('ℹ tests 8\nℹ pass 7\nℹ fail 1\nℹ cancelled 0\n'), { passed: 7, failed: 1 });
  assert.deepEqual(tally('# tests 8\n# pass 5\n# fail 2\n# cancelled 1\n'), { passed: 5, failed: 3 });
});

test('prose that only looks like a result counts nothing', () => {
  assert.deepEqual(tally('we pass 3 arguments; pass 4 and fail 5'), { passed: 0, failed: 0 });
});
