// Reads from a test runner's output how many tests passed and failed.

const ANSI = /\x1b\[[0-9;]*m/g;

// Every pattern holds the named groups it can: `passed`, `failed`, `timedOut`.
const PATTERNS = [
  // cargo nextest: `Summary [ 12.3s] 245 tests run: 243 passed (1 slow), 1 failed, 1 timed out, 0 skipped`
  /Summary \[.*?\].*?tests? run: (?<passed>\d+) passed(?: \([^)]*\))?(?:, (?<failed>\d+) failed)?(?:, (?<timedOut>\d+) timed out)?/g,
  // cargo test: `test result: ok. 12 passed; 0 failed; …`
  /test result: \w+\. (?<passed>\d+) passed; (?<failed>\d+) failed/g,
  // node --test: `ℹ pass 12` on one line, `ℹ fail 0` on another; TAP has `#` in place of `ℹ`
  /^(?:#|ℹ) pass (?<passed>\d+)/gm,
  /^(?:#|ℹ) (?:fail|cancelled) (?<failed>\d+)/gm,
];

/**
 * @param {string} output what one or more test runners printed
 * @returns {{passed: number, failed: number}}
 */
export function tally(output) {
  const text = output.replace(ANSI, '');
  let passed = 0;
  let failed = 0;
  for (const pattern of PATTERNS) {
    for (const { groups } of text.matchAll(pattern)) {
      passed += Number(groups.passed ?? 0);
      failed += Number(groups.failed ?? 0) + Number(groups.timedOut ?? 0);
    }
  }
  return { passed, failed };
}
