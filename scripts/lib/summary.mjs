/**
 * What `bun test` says at its end, as numbers.
 */

/** @typedef {{ passed: number, failed: number, skipped: number }} Summary */

/**
 * Numbers of a run. A run that ended badly without a failed test (a crash, an error between tests, no test found)
 * counts as a failure.
 * @returns {Summary}
 */
export function readSummary(output, code) {
  const count = (word) =>
    Number(
      output
        .match(new RegExp(`^ *(\\d+) ${word}s?$`, 'gm'))
        ?.at(-1)
        ?.match(/\d+/)?.[0] ?? 0,
    )
  const passed = count('pass')
  const failed = count('fail') + count('error')
  const complete = /^Ran \d+ tests? across \d+ files?\./m.test(output)
  const hidden = (code !== 0 || !complete) && failed === 0 ? 1 : 0
  return { passed, failed: failed + hidden, skipped: count('skip') + count('todo') }
}

/** @param {readonly Summary[]} summaries */
export function sumUp(summaries) {
  const add = (key) => summaries.reduce((sum, summary) => sum + summary[key], 0)
  return { passed: add('passed'), failed: add('failed'), skipped: add('skipped') }
}

/** The line that scripts and people look for. */
export function finalLine({ passed, failed, skipped }) {
  const rest = skipped > 0 ? `, ${skipped} skipped` : ''
  return `${passed} passed, ${failed} failed${rest}`
}
