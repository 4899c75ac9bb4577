/**
 * `npm run package`: dist/weft_<version>_<architecture>.deb and dist/weft-<version>-1.<architecture>.rpm. `--output <folder>`
 * puts them elsewhere.
 */
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { makeDeb } from './lib/deb.mjs'
import { main, Refusal } from './lib/fail.mjs'
import { step } from './lib/progress.mjs'
import { makeRpm } from './lib/rpm.mjs'
import { ROOT } from './lib/run.mjs'
import { saidYes, setup } from './lib/setup.mjs'
import { timeOfEverything } from './lib/time.mjs'

await main(async () => {
  const args = process.argv.slice(2)
  const folder = resolve(outputIn(args) ?? join(ROOT, 'dist'))
  await setup('package', { yes: saidYes(args) })
  const work = mkdtempSync(join(tmpdir(), 'weft-package-'))
  try {
    const options = { version: packageVersion(), time: timeOfEverything(), folder, work }
    const made = [
      await step('Making the .deb', () => makeDeb(options)),
      await step('Making the .rpm', () => makeRpm(options)),
    ]
    for (const path of made) process.stdout.write(`${path}\n`)
    const sizes = made.map((path) => `${Math.round(statSync(path).size / 1e5) / 10} MB`).join(' and ')
    process.stderr.write(`The packages have ${sizes}.\n`)
    return 0
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
})

/** Both kinds sort `1.0.0~rc.1` before `1.0.0`. */
function packageVersion() {
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
  return version.replace('-', '~')
}

function outputIn(args) {
  try {
    const options = { output: { type: 'string' }, yes: { type: 'boolean', short: 'y' } }
    return parseArgs({ args, options }).values.output
  } catch (error) {
    throw new Refusal(error.message, 'npm run package -- [--output <folder>]')
  }
}
