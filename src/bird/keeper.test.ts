import { afterEach, beforeEach, expect, test } from 'bun:test'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runningPid } from './daemon.ts'
import type { BirdError } from './errors.ts'
import type { ConfigurationFile } from './folder.ts'
import { BirdKeeper, type KeeperEvent, type KeeperOptions } from './keeper.ts'
import { birdVersion } from './program.ts'
import { birdProtocols } from './protocols.ts'
import { isBird } from './rivals.ts'
import { routesFor } from './routes.ts'
import { birdStatus } from './status.ts'

let root = ''
let keepers: BirdKeeper[] = []
let events: KeeperEvent[] = []

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'weft-keeper-'))
  keepers = []
  events = []
})

afterEach(async () => {
  for (const keeper of keepers) await keeper.stop()
  const pid = bird()
  if (pid !== undefined) process.kill(pid, 'SIGKILL')
  rmSync(root, { recursive: true, force: true })
})

/** A keeper of the BIRD of this test; there can be several after one another. */
function keep(options: Partial<KeeperOptions> = {}): BirdKeeper {
  const keeper = new BirdKeeper({
    folder: join(root, 'conf'),
    runFolder: join(root, 'run'),
    // In a namespace of its own, with nobody.
    command: ['unshare', '--net', 'bird'],
    every: 20,
    told: (event) => events.push(event),
    ...options,
  })
  keepers.push(keeper)
  return keeper
}

/** A BIRD that touches nothing of the machine: neither kernel nor neighbours. */
function files(network: string, password = 'geheim'): readonly ConfigurationFile[] {
  const main = `log stderr all;
router id 192.0.2.1;
timeformat protocol iso long;
include "passwords.conf";
protocol device {}
protocol static own4 { ipv4; route ${network} blackhole; }
`
  return [
    { name: 'bird.conf', content: main, isSecret: false },
    { name: 'passwords.conf', content: `define pass = "${password}";\n`, isSecret: true },
  ]
}

function bird(): number | undefined {
  return runningPid({
    command: ['bird'],
    socket: join(root, 'run', 'bird.ctl'),
    pidFile: join(root, 'run', 'bird.pid'),
    outputFile: '',
    recoverFile: '',
  })
}

/** Somebody else's daemon. */
const LISTEN = "require('node:net').createServer().listen(1179, '127.0.0.1')"

function nameOf(pid: number): string {
  return readFileSync(`/proc/${pid}/comm`, 'utf8').trim()
}

async function until(what: () => boolean): Promise<void> {
  for (let i = 0; i < 500 && !what(); i += 1) await Bun.sleep(20)
  expect(what()).toBe(true)
}

function failure(call: Promise<unknown>): Promise<BirdError> {
  return call.then(
    () => {
      throw new Error('it did not fail')
    },
    (error: BirdError) => error,
  )
}

test('a BIRD that this code knows is installed', async () => {
  expect(await birdVersion()).toMatch(/^2\.\d+\.\d+$/)
  expect((await failure(birdVersion(['/nonexistent/bird']))).code).toBe('BIRD_MISSING')
  expect((await failure(birdVersion(['echo', 'BIRD version 1.6.8']))).message).toBe(
    'BIRD 1.6.8 is not BIRD 2 of 2.0.8 or later',
  )
})

test('the first configuration starts BIRD, the next one changes it as it runs', async () => {
  const keeper = keep()
  expect(await keeper.apply(files('10.1.0.0/16'))).toBe(true)
  const pid = bird()
  expect(pid).toBeDefined()
  expect(events).toEqual([{ is: 'started', pid: pid ?? 0 }])
  expect((await birdStatus(keeper.control)).state).toBe('Daemon is up and running')
  expect(await keeper.apply(files('10.1.0.0/16'))).toBe(false)
  expect(await keeper.apply(files('10.2.0.0/16'))).toBe(true)
  expect(bird()).toBe(pid as number)
  expect((await routesFor(keeper.control, '10.2.0.1')).map(({ network }) => network)).toEqual(['10.2.0.0/16'])
  expect(await routesFor(keeper.control, '10.1.0.1')).toEqual([])
  expect((await birdProtocols(keeper.control)).map(({ kind, isUp }) => [kind, isUp])).toEqual([
    ['Device', true],
    ['Static', true],
  ])
})

test('passwords are for root alone, and only the last two configurations stay', async () => {
  const keeper = keep()
  for (const third of [1, 2, 3]) await keeper.apply(files(`10.${third}.0.0/16`))
  const current = join(root, 'conf', 'current')
  expect(statSync(join(current, 'passwords.conf')).mode & 0o777).toBe(0o600)
  expect(statSync(join(current, 'bird.conf')).mode & 0o777).toBe(0o644)
  expect(readFileSync(join(current, 'bird.conf'), 'utf8')).toContain('10.3.0.0/16')
  expect(readdirSync(join(root, 'conf')).sort()).toHaveLength(3)
})

test('what BIRD refuses leaves the one before in force, and says the line', async () => {
  const keeper = keep()
  await keeper.apply(files('10.1.0.0/16'))
  const pid = bird()
  const error = await failure(keeper.apply(files('10.2.0.0/nonsense')))
  expect(error.code).toBe('BIRD_CONFIGURATION')
  expect(error.message).toStartWith('BIRD refuses the configuration (bird.conf, line 6): ')
  expect(error.message).not.toContain('geheim')
  expect(bird()).toBe(pid as number)
  expect(await routesFor(keeper.control, '10.1.0.1')).toHaveLength(1)
  expect(readFileSync(join(root, 'conf', 'current', 'bird.conf'), 'utf8')).toContain('10.1.0.0/16')
})

test('a first one that BIRD refuses starts none', async () => {
  const keeper = keep()
  expect((await failure(keeper.apply(files('nonsense')))).code).toBe('BIRD_CONFIGURATION')
  await keeper.start()
  expect(bird()).toBeUndefined()
  expect(existsSync(join(root, 'conf', 'current'))).toBe(false)
})

test('what proves wrong is taken back', async () => {
  const answers = [false, true]
  const keeper = keep({ verify: () => Promise.resolve(answers.shift() ?? true) })
  await keeper.apply(files('10.1.0.0/16'))
  expect((await failure(keeper.apply(files('10.2.0.0/16')))).code).toBe('BIRD_REFUSED')
  expect(await routesFor(keeper.control, '10.1.0.1')).toHaveLength(1)
  expect(await routesFor(keeper.control, '10.2.0.1')).toEqual([])
  expect(await keeper.apply(files('10.2.0.0/16'))).toBe(true)
  expect(await routesFor(keeper.control, '10.2.0.1')).toHaveLength(1)
})

test('of a configuration that was not confirmed, nobody knows how it ended: a BIRD that dies then starts with one that is there', async () => {
  let isMute = false
  const verify = async (): Promise<boolean> => {
    const pid = bird()
    if (isMute && pid !== undefined) process.kill(pid, 'SIGSTOP')
    return true
  }
  const keeper = keep({ verify })
  Object.assign(keeper.control, { timeoutMs: 1000 })
  await keeper.apply(files('10.1.0.0/16'))
  isMute = true
  expect((await failure(keeper.apply(files('10.2.0.0/16')))).code).toBe('BIRD_TIMEOUT')
  isMute = false
  const pid = bird() ?? 0
  expect(existsSync(join(root, 'conf/current/bird.conf'))).toBe(true)
  process.kill(pid, 'SIGKILL')
  await until(() => bird() === undefined)
  await keeper.start()
  await until(() => bird() !== undefined && events.at(-1)?.is === 'started')
  await keeper.apply(files('10.2.0.0/16'))
  expect(await routesFor(keeper.control, '10.2.0.1')).toHaveLength(1)
}, 30_000)

test('the end of its keeper is not the end of BIRD; the next keeper takes it over', async () => {
  const first = keep()
  await first.apply(files('10.1.0.0/16'))
  await first.start()
  await first.stop()
  const pid = bird()
  const second = keep()
  await second.start()
  expect(events.at(-1)).toEqual({ is: 'adopted', pid: pid ?? 0 })
  expect(await second.apply(files('10.1.0.0/16'))).toBe(false)
  expect(await second.apply(files('10.3.0.0/16'))).toBe(true)
  expect(bird()).toBe(pid as number)
})

test('a BIRD that dies is started again, and recovers; another time a little later', async () => {
  const keeper = keep()
  await keeper.apply(files('10.1.0.0/16'))
  await keeper.start()
  const pid = bird()
  process.kill(pid ?? 0, 'SIGKILL')
  await until(() => bird() !== undefined && bird() !== pid)
  await until(() => events.at(-1)?.is === 'started')
  expect(readFileSync(`/proc/${bird()}/cmdline`, 'utf8').split('\0')).toContain('-R')
  expect(events.map(({ is }) => is)).toEqual(['started', 'gone', 'started'])
  expect(await routesFor(keeper.control, '10.1.0.1')).toHaveLength(1)
})

test('a graceful restart is another process, which recovers; an end is one for good', async () => {
  const keeper = keep()
  await keeper.apply(files('10.1.0.0/16'))
  await keeper.start()
  const pid = bird()
  await keeper.restart()
  expect(bird()).toBeDefined()
  expect(bird()).not.toBe(pid)
  expect(readFileSync(`/proc/${bird()}/cmdline`, 'utf8').split('\0')).toContain('-R')
  await keeper.end()
  expect(bird()).toBeUndefined()
  const next = keep()
  await next.start()
  expect(readFileSync(`/proc/${bird()}/cmdline`, 'utf8').split('\0')).not.toContain('-R')
})

test("another process with BIRD's old number is not taken for it", async () => {
  mkdirSync(join(root, 'run'), { recursive: true })
  writeFileSync(join(root, 'run', 'bird.pid'), `${process.pid}\n`)
  const keeper = keep()
  await keeper.start()
  expect(keeper.pid).toBeUndefined()
  await keeper.apply(files('10.1.0.0/16'))
  expect(keeper.pid).not.toBe(process.pid)
})

test('where another BIRD works on the same routes none is started', async () => {
  const other = keep({ folder: join(root, 'other'), runFolder: join(root, 'other-run') })
  await other.apply(files('10.1.0.0/16'))
  try {
    const namespace = `/proc/${other.pid}/ns/net`
    const keeper = keep({ command: ['nsenter', `--net=${namespace}`, 'bird'], namespace })
    const error = await failure(keeper.apply(files('10.2.0.0/16')))
    expect(error.code).toBe('BIRD_RIVAL')
    expect(error.message).toContain(`process ${other.pid}`)
    expect(bird()).toBeUndefined()
    await other.end()
    expect((await failure(keeper.apply(files('10.2.0.0/16')))).code).not.toBe('BIRD_RIVAL')
  } finally {
    await other.end()
  }
})

test('whoever listens where BIRD would is found, also where processes are out of sight', async () => {
  const withPort = (port: number): readonly ConfigurationFile[] => {
    const session = `protocol bgp one { local 127.0.0.1 port ${port} as 64512; neighbor 127.0.0.2 as 64512; ipv4 { import none; export none; }; }\n`
    return files('10.1.0.0/16').map((file) =>
      file.isSecret ? file : { ...file, content: `${file.content}${session}` },
    )
  }
  // A namespace that lasts, whose processes nobody is asked for.
  const holder = Bun.spawn(['unshare', '--net', 'sleep', '60'])
  const inside = ['nsenter', `--net=/proc/${holder.pid}/ns/net`]
  await until(() => nameOf(holder.pid) === 'sleep')
  await Bun.spawn([...inside, 'ip', 'link', 'set', 'lo', 'up']).exited
  const listener = Bun.spawn([...inside, process.execPath, '-e', LISTEN], { stdout: 'ignore' })
  try {
    const keeper = keep({ command: [...inside, 'bird'] })
    await Bun.sleep(500)
    const error = await failure(keeper.apply(withPort(1179)))
    expect([error.code, error.message]).toEqual([
      'BIRD_RIVAL',
      'another program listens at TCP port 1179 of this machine, where BIRD would',
    ])
    await keeper.apply(withPort(1180))
    expect(bird()).toBeDefined()
  } finally {
    listener.kill('SIGKILL')
    holder.kill('SIGKILL')
  }
})

test('BIRD has the capabilities that it needs, and no others', async () => {
  const keeper = keep()
  await keeper.apply(files('10.1.0.0/16'))
  const status = readFileSync(`/proc/${keeper.pid}/status`, 'utf8')
  const caps = [...status.matchAll(/^Cap(?:Prm|Eff|Bnd|Inh|Amb):\s*([0-9a-f]+)$/gm)].map(([, bits]) =>
    BigInt(`0x${bits}`),
  )
  const needed = (1n << 10n) | (1n << 12n) | (1n << 13n)
  expect(caps).toHaveLength(5)
  for (const one of caps) expect(one & ~needed).toBe(0n)
  expect(caps).toContain(needed)
  expect(status).toMatch(/^NoNewPrivs:\s*1$/m)
})

test("no process is taken for BIRD that is not root's, whatever its name", async () => {
  chmodSync(root, 0o755)
  const program = join(root, 'bird')
  symlinkSync(Bun.which('sleep') ?? '', program)
  for (const [user, expected] of [
    ['65534', false],
    ['0', true],
  ] as const) {
    const child = Bun.spawn(['setpriv', `--reuid=${user}`, '--clear-groups', program, '30'])
    await until(() => nameOf(child.pid) === 'bird')
    expect(isBird(child.pid)).toBe(expected)
    child.kill('SIGKILL')
  }
})

test('a BIRD that cannot start says why, in its own words', async () => {
  const keeper = keep()
  await keeper.apply(files('10.1.0.0/16'))
  await keeper.stop()
  const other = keep({ runFolder: join(root, 'run') })
  rmSync(join(root, 'run', 'bird.pid'))
  const error = await failure(other.apply(files('10.2.0.0/16')))
  expect(error.code).toBe('BIRD_ENDED')
  expect(error.message).toContain('another BIRD')
  process.kill(keeper.pid ?? 0, 'SIGKILL')
  expect(readFileSync(join(root, 'conf', 'current', 'bird.conf'), 'utf8')).toContain('10.1.0.0/16')
})
