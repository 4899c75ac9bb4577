/**
 * The npm packages: present as the lock file wants them, whatever the user's npm settings are.
 */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Refusal } from './fail.mjs'
import { step } from './progress.mjs'
import { ask, BUN, ROOT, run } from './run.mjs'

/** The settings that could make `npm ci` leave something out, each answered. */
const ARGS = [
  'ci',
  ...['dev', 'optional', 'peer'].map((kind) => `--include=${kind}`),
  '--no-global',
  '--no-dry-run',
  '--package-lock=true',
  '--no-ignore-scripts',
  '--no-audit',
  '--no-fund',
  '--no-update-notifier',
  '--loglevel=error',
]

/** Installs what is missing or stale, and makes sure that Bun runs. */
export async function ensureNodeModules() {
  if (!sameTree(readJson('package-lock.json'), readJson('node_modules/.package-lock.json'))) {
    await step('Installing npm packages', (note) => npmCi(note))
  }
  if (ask(BUN, ['--version']) !== undefined) return
  // Where install scripts are not allowed, Bun's own did not run: it puts the binary in its place.
  await run(process.execPath, [join(ROOT, 'node_modules', 'bun', 'install.js')])
  if (ask(BUN, ['--version']) === undefined) {
    throw new Refusal(
      'Bun does not run on this machine',
      'remove node_modules and run this again; it needs glibc and x64 or arm64',
    )
  }
}

/**
 * Whether npm's record of what it installed holds all that the lock file wants, in these versions.
 * Packages for other machines are optional and may be absent.
 */
export function sameTree(wanted, installed) {
  if (wanted === undefined || installed === undefined) return false
  return Object.entries(wanted.packages).every(([path, { version, integrity, optional }]) => {
    if (path === '') return true
    const found = installed.packages?.[path]
    if (found === undefined) return optional === true
    return found.version === version && found.integrity === integrity
  })
}

/** The first complaint of npm that says something. */
export function npmProblem(output) {
  const lines = output.split('\n').map((line) => line.match(/^npm (?:error|ERR!) (.+)$/)?.[1])
  return lines.find((line) => line !== undefined && !/^(code|errno|syscall) /.test(line))
}

async function npmCi(note) {
  const cli = process.env.npm_execpath
  const [command, first] = cli !== undefined && existsSync(cli) ? [process.execPath, [cli]] : ['npm', []]
  // Its complaints are told once, at the end.
  const onLine = (line) => /^npm (error|ERR!|warn)/i.test(line) || line === '' || note(line)
  const { code, output } = await run(command, [...first, ...ARGS], { onLine })
  if (code === 0) return
  const reason = npmProblem(output) ?? `npm ended with ${code}`
  const remedy = /ENOTFOUND|ECONN|ETIMEDOUT|EAI_AGAIN|network/i.test(output)
    ? 'check the network and the registry in your npm settings, then run this again'
    : 'find out with: npm ci'
  throw new Refusal(reason, remedy)
}

function readJson(path) {
  try {
    return JSON.parse(readFileSync(join(ROOT, path), 'utf8'))
  } catch {
    return undefined
  }
}
