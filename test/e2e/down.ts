/**
 * What `weft play down` leaves: nothing, also of a playground that was killed half-way.
 * @module
 */
import { deepEqual, equal, notDeepEqual } from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { linkList, netnsList, openRtnl } from '../../src/linux/index.ts'
import { run } from '../lab/command.ts'
import type { Lab } from '../lab/lab.ts'
import { runScenario, type Scenario, type StepContext } from '../lab/scenario.ts'

const PLACES = ['/run', '/tmp', '/run/netns', '/run/openvswitch', '/var/run/openvswitch', '/run/weft']

export const down: Scenario = {
  name: 'down',
  lab: undefined,
  steps: [
    { title: 'down leaves no namespace, link, process, socket or file', run: whole },
    { title: '--once leaves nothing either', run: once },
    { title: '--once into a pipe that nobody reads to its end (`| head`) leaves nothing', run: unheard },
    { title: 'down after a kill -9 of up half-way leaves nothing', run: halfWay },
    { title: 'down after a kill -9 of every process leaves nothing, and is content with nothing', run: afterMassacre },
  ],
}

/** What a shell says of a program that signal 9 ended. */
const KILLED = 128 + 9

/** What there is on the machine of this playground and around it. */
function traces({ layout }: Lab): Readonly<Record<string, readonly string[]>> {
  using rtnl = openRtnl()
  const own = (names: readonly string[]) => names.filter((name) => name.includes(layout.prefix)).sort()
  return {
    namespaces: own(netnsList()),
    links: linkList(rtnl).flatMap(({ name }) => (name.startsWith('weft') ? [name] : [])),
    processes: processesOf(layout.runDir),
    sockets: readFileSync('/proc/net/unix', 'utf8')
      .split('\n')
      .filter((line) => line.includes(layout.runDir)),
    mounts: own(readFileSync('/proc/self/mounts', 'utf8').split('\n')),
    files: own(PLACES.flatMap((place) => (existsSync(place) ? readdirSync(place) : []))),
  }
}

/** Processes that name the playground's folder in their arguments or environment, or work in it. */
function processesOf(runDir: string): readonly string[] {
  return readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid) || Number(pid) === process.pid) return false
    try {
      const told = readFileSync(`/proc/${pid}/cmdline`, 'latin1') + readFileSync(`/proc/${pid}/environ`, 'latin1')
      return told.includes(runDir) || readlinkSync(`/proc/${pid}/cwd`).startsWith(runDir)
    } catch {
      return false
    }
  })
}

function expectNothing(lab: Lab, before: ReturnType<typeof traces>, say: StepContext['say']): void {
  const after = traces(lab)
  say(
    `left: ${Object.entries(after)
      .map(([kind, found]) => `${found.length - (before[kind]?.length ?? 0)} ${kind}`)
      .join(', ')}`,
  )
  deepEqual(after, before)
}

async function whole({ lab, say }: StepContext): Promise<void> {
  const before = traces(lab)
  await lab.up()
  const up = traces(lab)
  say(
    `up: ${Object.entries(up)
      .map(([kind, found]) => `${found.length - (before[kind]?.length ?? 0)} ${kind}`)
      .join(', ')}`,
  )
  for (const kind of ['namespaces', 'processes', 'sockets', 'mounts', 'files'])
    notDeepEqual(up[kind], before[kind], kind)
  const { code, stdout } = await lab.play('down')
  equal(code, 0)
  say(stdout.trim())
  expectNothing(lab, before, say)
}

async function once({ lab, say }: StepContext): Promise<void> {
  const before = traces(lab)
  const { code, stdout, stderr } = await lab.play('up', '--once', '--json', '--nodes', '1')
  equal(code, 0, stderr)
  say(stdout.trim())
  expectNothing(lab, before, say)
}

async function unheard({ lab, say }: StepContext): Promise<void> {
  const before = traces(lab)
  const argv = lab.command('play', 'up', '--once', '--nodes', '1', '--run-dir', lab.layout.runDir)
  for (const pipe of ['| head -1', '2>&1 | true']) {
    // The shell waits for both ends.
    const { code, stdout } = await run(['bash', '-c', `"$@" ${pipe}; exit \${PIPESTATUS[0]}`, 'bash', ...argv])
    equal(code, 0, stdout)
    say(pipe)
    expectNothing(lab, before, say)
  }
}

async function halfWay({ lab, say }: StepContext): Promise<void> {
  const before = traces(lab)
  for (const milliseconds of [150, 500, 1200, 2500]) {
    const argv = lab.command('play', 'up', '--run-dir', lab.layout.runDir)
    const killed = await run(['timeout', '-s', 'KILL', String(milliseconds / 1000), ...argv])
    equal(killed.code, KILLED, killed.stderr)
    const found = traces(lab)
    const { code, stderr } = await lab.play('down')
    equal(code, 0, stderr)
    say(
      `killed after ${milliseconds} ms with ${found['namespaces']?.length} namespaces and ${found['processes']?.length} processes`,
    )
    expectNothing(lab, before, say)
  }
}

/** Some end by themselves when others are gone. */
function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    if (Object(error)['code'] !== 'ESRCH') throw error
  }
}

async function afterMassacre({ lab, say }: StepContext): Promise<void> {
  const before = traces(lab)
  await lab.up()
  for (const pid of processesOf(lab.layout.runDir)) kill(Number(pid))
  equal((await lab.play('down')).code, 0)
  expectNothing(lab, before, say)
  const again = await lab.play('down')
  equal(again.code, 0, again.stderr)
  expectNothing(lab, before, say)
}

if (import.meta.main) await runScenario(down)
