/**
 * Makes a bare machine ready for a purpose: Debian packages, npm packages, what is built. Fast when nothing is to do.
 */
import { existsSync, readFileSync } from 'node:fs'
import { createInterface } from 'node:readline/promises'
import { ensureBuilt } from './artefacts.mjs'
import { Refusal } from './fail.mjs'
import { install } from './install.mjs'
import { ensureNodeModules } from './npm.mjs'
import { decide, isDebian, missingPackages } from './packages.mjs'

const OLDEST_NODE = 20

/**
 * @param {keyof typeof import('./packages.mjs').PACKAGES} purpose
 * @param {{ yes?: boolean }} [options] yes: install packages without asking
 */
export async function setup(purpose, { yes = false } = {}) {
  checkNode()
  await ensurePackages(purpose, yes)
  await ensureNodeModules()
  await ensureBuilt()
}

/** Whether the command line or the environment says yes to everything. */
export function saidYes(args) {
  const beforeDashes = args.includes('--') ? args.slice(0, args.indexOf('--')) : args
  return beforeDashes.includes('--yes') || beforeDashes.includes('-y') || process.env.npm_config_yes === 'true'
}

function checkNode() {
  const major = Number(process.versions.node.split('.')[0])
  if (major < OLDEST_NODE)
    throw new Refusal(`Node ${process.versions.node} is too old`, `install Node ${OLDEST_NODE} or later`)
  if (process.platform !== 'linux')
    throw new Refusal(`Weft runs on Linux, not on ${process.platform}`, 'use a Linux machine')
}

async function ensurePackages(purpose, yes) {
  const debian = existsSync('/etc/os-release') && isDebian(readFileSync('/etc/os-release', 'utf8'))
  const missing = missingPackages(purpose, { debian })
  const terminal = process.stdin.isTTY === true && process.stderr.isTTY === true
  const verdict = decide({ missing, debian, uid: process.getuid(), yes, terminal })
  if (verdict.action === 'ready') return
  if (verdict.action === 'refuse') throw new Refusal(verdict.cause, verdict.remedy)
  process.stderr.write(`Weft needs ${missing.length} Debian packages that are missing: ${missing.join(' ')}\n`)
  process.stderr.write('They are installed with apt-get; no service is started.\n')
  if (verdict.action === 'ask' && !(await agreed('Install them now? [Y/n] '))) {
    throw new Refusal(
      'nothing was installed',
      `install them yourself (apt-get install ${missing.join(' ')}) or answer yes`,
    )
  }
  await install(missing)
}

async function agreed(question) {
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  try {
    return /^(y|yes|)$/i.test((await terminal.question(question)).trim())
  } catch {
    return false
  } finally {
    terminal.close()
  }
}
