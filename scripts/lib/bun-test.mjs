/**
 * `bun test`, shown as it runs. A file of tests that fails is run once more by itself: tests of real daemons beside each
 * other on a busy machine wait for each other, and whether that was the reason has to be known, not guessed. What failed
 * only the first time is named at the end and counted as unsteady; what fails twice has failed.
 */
import { failuresOf } from './failures.mjs'
import { BUN, run } from './run.mjs'
import { readSummary } from './summary.mjs'

/** Where more files than this fail, the machine is not the reason. */
const MOST_AGAIN = 5
/** Milliseconds until it is said that tests go on. */
const SILENCE = 20_000

/**
 * Runs test files, and those that fail once more.
 * @param {{ how: readonly string[], files: readonly string[], env?: Record<string, string>, silence?: number }} what
 * switches of `bun test`, its files and folders, what is added to the environment, and after how many milliseconds of
 * silence it is said that tests go on
 * @returns {Promise<import('./summary.mjs').Summary>}
 */
export async function bunTest({ how, files, env = {}, silence = SILENCE }, out = process.stdout) {
  const first = await once([...how, ...files], { env, silence }, out)
  const summary = readSummary(first.output, first.code)
  const failures = failuresOf(first.output)
  if (failures.length === 0) return summary
  tell('failed', failures, out)
  const again = [...new Set(failures.map(({ file }) => file))]
  // A crash, or an error between tests, is in no list of failed tests: nothing would have been tried twice.
  if (failures.length !== summary.failed || again.length > MOST_AGAIN) return summary
  return anew(summary, failures, again, { how, env, silence }, out)
}

async function anew(summary, failures, files, { how, env, silence }, out) {
  const alone = how.filter((word) => !word.startsWith('--parallel'))
  const left = []
  for (const file of files) {
    out.write(`\n→ once more, by itself: ${file}\n`)
    const { code, output } = await once([...alone, `./${file}`], { env, silence }, out)
    const failed = failuresOf(output)
    if (readSummary(output, code).failed !== failed.length) return summary
    left.push(...failed)
  }
  const unsteady = failures.filter(({ file }) => !left.some((failure) => failure.file === file))
  if (left.length > 0) tell('failed again', left, out)
  if (unsteady.length > 0) tell('unsteady: failed, and passed when run once more by themselves', unsteady, out)
  return {
    ...summary,
    passed: summary.passed + summary.failed - left.length,
    failed: left.length,
    unsteady: unsteady.length,
  }
}

/** Each failed test with what it said: a log is often read from its end. */
function tell(what, failures, out) {
  out.write(`\n${failures.length} ${what}:\n`)
  for (const { file, name, said } of failures)
    out.write(`✗ ${file}: ${name}\n${said.map((line) => `    ${line}\n`).join('')}`)
}

async function once(args, { env, silence }, out) {
  const started = Date.now()
  let last = started
  const beat = setInterval(() => {
    if (Date.now() - last < silence) return
    last = Date.now()
    out.write(`  … testing (${Math.round((Date.now() - started) / 1000)} s)\n`)
  }, 1000)
  try {
    return await run(BUN, ['test', ...args], {
      env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: '0', ...env },
      onLine: (line) => {
        last = Date.now()
        out.write(`${line}\n`)
      },
    })
  } finally {
    clearInterval(beat)
  }
}
