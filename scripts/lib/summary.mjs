/**
 * What `bun test` says at its end, as numbers.
 */

/**
 * Of all tests. `unsteady` ones are among the passed: they failed first, and passed when run once more by themselves.
 * @typedef {{ passed: number, failed: number, skipped: number, unsteady?: number }} Summary
 */

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
  const add = (key) => summaries.reduce((sum, summary) => sum + (summary[key] ?? 0), 0)
  return { passed: add('passed'), failed: add('failed'), skipped: add('skipped'), unsteady: add('unsteady') }
}

/** The line that scripts and people look for. */
export function finalLine({ passed, failed, skipped, unsteady = 0 }) {
  const rest = [...(skipped > 0 ? [`${skipped} skipped`] : []), ...(unsteady > 0 ? [`${unsteady} unsteady`] : [])]
  return [`${passed} passed`, `${failed} failed`, ...rest].join(', ')
}
