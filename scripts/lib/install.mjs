/**
 * Installs Debian packages without a question, without starting a service, with progress.
 */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { Refusal } from './fail.mjs'
import { aptProblem } from './packages.mjs'
import { step } from './progress.mjs'
import { run } from './run.mjs'

const POLICY = '/usr/sbin/policy-rc.d'
const OUR_POLICY =
  '#!/bin/sh\n# Weft set-up: packages that it installs start no service. Removed when it is done.\nexit 101\n'
const ENV = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', NEEDRESTART_SUSPEND: '1', LC_ALL: 'C.UTF-8' }
const OPTIONS = ['-q', '-y', '-o', 'DPkg::Lock::Timeout=120', '-o', 'Dpkg::Use-Pty=0', '-o', 'APT::Status-Fd=3']

/** Installs these packages. Throws a Refusal that names the reason. */
export async function install(names) {
  await step('Reading the package lists', (note) =>
    apt(['update', '-o', 'APT::Update::Error-Mode=any', '-o', 'Acquire::Retries=2'], names, note),
  )
  await withoutServices(() =>
    step(`Installing ${names.length} packages`, (note) =>
      apt(['install', '--no-install-recommends', '-o', 'Dpkg::Options::=--force-confold', ...names], names, note),
    ),
  )
}

async function apt(args, names, note) {
  const say = distinct(note)
  const { code, output } = await run('apt-get', [...OPTIONS, ...args], {
    env: ENV,
    onStatus: (line) => say(statusText(line)),
    onLine: (line) => say(/^Get:\d+ /.test(line) ? line.replace(/^Get:\d+ \S+ /, 'read ') : undefined),
  })
  if (code !== 0) throw new Refusal(...aptProblem(output, names.join(' ')))
}

/** A line of apt's status descriptor in words, or undefined when it is not worth a line. */
export function statusText(line) {
  const [kind, , percent, ...rest] = line.split(':')
  const text = rest.join(':')
  if (kind === 'dlstatus') return `${Math.floor(Number(percent) / 10) * 10} % downloaded`
  if (kind === 'pmstatus' && /^Installed /.test(text)) return text
  return undefined
}

function distinct(note) {
  const said = new Set()
  return (text) => {
    if (text === undefined || said.has(text)) return
    said.add(text)
    note(text)
  }
}

/** Debian's packages ask policy-rc.d before they start a service; one that is there already is left alone. */
async function withoutServices(work) {
  const ours = !existsSync(POLICY) || readFileSync(POLICY, 'utf8') === OUR_POLICY
  const remove = () => ours && rmSync(POLICY, { force: true })
  const stop = () => {
    remove()
    process.exit(130)
  }
  if (ours) writeFileSync(POLICY, OUR_POLICY, { mode: 0o755 })
  process.on('SIGINT', stop).on('SIGTERM', stop)
  try {
    return await work()
  } finally {
    process.off('SIGINT', stop).off('SIGTERM', stop)
    remove()
  }
}
