/**
 * Everything that is checked, on whatever machine: types, style, every test. The last line counts.
 */
import { readdirSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { bunTest } from './lib/bun-test.mjs'
import { main } from './lib/fail.mjs'
import { ROOT, run } from './lib/run.mjs'
import { saidYes, setup } from './lib/setup.mjs'
import { finalLine, sumUp } from './lib/summary.mjs'

const args = process.argv.slice(2).filter((arg) => arg !== '--yes' && arg !== '-y')
const CHECKS = [
  ['types', 'node_modules/.bin/tsc', ['--noEmit']],
  ['style', 'node_modules/.bin/biome', ['check', '--error-on-warnings', '.']],
]

/** Files side by side: most of their time they wait. Beyond a few they would only wait for each other's Open vSwitch. */
const WORKERS = Math.min(4, Math.max(2, availableParallelism()))
const HOW = ['--timeout', '60000', `--parallel=${WORKERS}`, '--no-isolate']

await main(async () => {
  await setup('test', { yes: saidYes(process.argv.slice(2)) })
  const checks = []
  // With arguments, only the tests that they name.
  if (args.length === 0) for (const check of CHECKS) checks.push(await runCheck(check))
  const total = sumUp([...checks, await runTests()])
  process.stdout.write(`${finalLine(total)}\n`)
  return total.failed === 0 ? 0 : 1
})

async function runCheck([name, command, rest]) {
  const { code, output } = await run(join(ROOT, command), rest)
  process.stdout.write(code === 0 ? `✓ ${name}\n` : `${output}\n✗ ${name}\n`)
  return code === 0 ? { passed: 1, failed: 0, skipped: 0 } : { passed: 0, failed: 1, skipped: 0 }
}

function runTests() {
  const folders = readdirSync(ROOT, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && ['src', 'test', 'scripts', 'bench'].includes(entry.name))
    .map((entry) => `./${entry.name}/`)
  return bunTest({ how: HOW, files: args.length === 0 ? folders : args })
}
