/** How much of what a failed test said is worth repeating. */
const LINES = 30
const FILE = /^(\S+\.test\.(?:ts|tsx|js|mjs)):$/
const OUTCOME = /^\((pass|fail|skip|todo)\) (.*)$/
const TOOK = / \[[\d.]+m?s\]$/

/**
 * The failed tests of a run of `bun test`: in which file, under which name, and what was said since the test before.
 * @param {string} output lines as `bun test` prints them: a file's name, then its tests
 * @returns {readonly { file: string, name: string, said: readonly string[] }[]}
 */
export function failuresOf(output) {
  const failures = []
  let file = ''
  let said = []
  for (const line of output.split('\n')) {
    const [, named] = FILE.exec(line) ?? []
    const [, outcome, rest] = OUTCOME.exec(line) ?? []
    // Bun repeats the names of failed tests at the end of a long run, without their files.
    if (/^\d+ tests? failed:$/.test(line)) break
    if (named === undefined && outcome === undefined) {
      said.push(line)
      continue
    }
    if (named !== undefined) file = named
    if (outcome === 'fail') failures.push({ file, name: rest.replace(TOOK, ''), said: said.slice(-LINES) })
    said = []
  }
  return failures
}
