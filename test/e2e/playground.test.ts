/**
 * The playground as a newcomer uses it: brought up, measured, changed, broken, removed. Runs beside anybody's own.
 * @module
 */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const MAIN = join(import.meta.dir, '../../src/main.ts')
const PATIENCE = 180_000

interface Ended {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

let folder: string
const runDirs: string[] = []

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'weft-e2e-'))
})

afterAll(async () => {
  for (const runDir of runDirs) await weft('play', 'down', '--run-dir', runDir)
  rmSync(folder, { recursive: true, force: true })
}, PATIENCE)

describe('once', () => {
  test(
    'up, measured, gone',
    async () => {
      const runDir = newRunDir('once')
      const { code, stdout } = await weft('play', '--once', '--json', '--run-dir', runDir)
      const summary = JSON.parse(stdout.trim().split('\n').at(-1) ?? '')
      expect(summary).toMatchObject({ nodes: 3, pods: 7, pairs: 42, wrong: 0, problems: [] })
      expect(code).toBe(0)
      expect(traces(runDir)).toEqual([])
    },
    PATIENCE,
  )
})

describe('in the background, with Geneve over IPv6', () => {
  let runDir: string
  const play = (command: string, ...args: readonly string[]): Promise<Ended> =>
    weft('play', command, '--run-dir', runDir, ...args)
  const tenant = (...args: readonly string[]): Promise<Ended> => weft('tenant', ...args, '--run-dir', runDir)

  beforeAll(async () => {
    runDir = newRunDir('back')
    const { code, stderr } = await play('up', '--nodes', '2', '--encapsulation', 'geneve', '--underlay', '6')
    if (code !== 0) throw new Error(stderr)
  }, PATIENCE)

  test(
    'a second one of the same shape is the first; of another shape it is refused',
    async () => {
      const same = ['--nodes', '2', '--encapsulation', 'geneve', '--underlay', '6']
      expect((await play('up', ...same, '--json')).code).toBe(0)
      const other = await play('up', '--nodes', '3')
      expect(other.code).toBe(1)
      expect(other.stderr).toContain('weft play down')
    },
    PATIENCE,
  )

  test(
    'tenants join and part again, and the table follows',
    async () => {
      expect((await tenant('join', 'bank', '--to', 'shop', '--json')).code).toBe(0)
      expect(await expectations(play)).toEqual({ yes: 42, no: 0, wrong: 0 })
      expect((await tenant('isolate', 'bank')).code).toBe(0)
      expect(await expectations(play)).toEqual({ yes: 24, no: 18, wrong: 0 })
    },
    PATIENCE,
  )

  test(
    'a wrong request is refused with its reason, and nothing changes',
    async () => {
      const refused = await tenant('isolate', 'default')
      expect(refused.code).toBe(1)
      expect(refused.stderr).toContain('cannot be isolated')
      expect((await tenant('join', 'shop', '--to', 'nowhere')).code).toBe(1)
      expect(await expectations(play)).toMatchObject({ yes: 24, wrong: 0 })
    },
    PATIENCE,
  )

  test(
    'namespaces and pods come and go',
    async () => {
      expect((await play('namespace', 'add', 'lab')).code).toBe(2)
      expect((await weft('play', 'namespace', 'add', 'lab', '--run-dir', runDir)).code).toBe(0)
      expect((await weft('play', 'pod', 'add', 'lab/one', '--node', 'node2', '--run-dir', runDir)).code).toBe(0)
      const address = await play('exec', 'lab/one', '--', 'ip', '-br', 'address', 'show', 'dev', 'eth0')
      expect(address.stdout).toContain('10.129.')
      expect(await expectations(play)).toMatchObject({ wrong: 0 })
      expect((await weft('play', 'namespace', 'delete', 'lab', '--run-dir', runDir)).code).toBe(0)
      expect((await play('exec', 'lab/one', '--', 'true')).code).toBe(1)
      expect((await play('status', '--json')).stdout).not.toContain('lab/one')
    },
    PATIENCE,
  )

  test('the program that exec runs gives the exit code', async () => {
    expect((await play('exec', 'node1', '--', 'sh', '-c', 'exit 7')).code).toBe(7)
  })

  test(
    'a switch that lost its flows is seen in status and table',
    async () => {
      for (const pid of pidsOf(runDir, 'node1-agent')) process.kill(pid, 'SIGKILL')
      const status = await play('status', '--json')
      expect(status.code).toBe(1)
      expect(JSON.parse(status.stdout).missing).toEqual(['node1-agent'])
      const bridge = `unix:${join(runDir, 'node1/ovs/br-weft.mgmt')}`
      expect((await play('exec', 'node1', '--', 'ovs-ofctl', '-OOpenFlow15', 'del-flows', bridge)).code).toBe(0)
      const table = await play('table')
      expect(table.code).toBe(1)
      expect(table.stdout).toContain('WRONG')
      expect(table.stdout).toContain('no answer, although there should be one')
    },
    PATIENCE,
  )

  test(
    'after kill -9 of half of it, down leaves nothing',
    async () => {
      for (const role of ['api', 'daemon', 'node2-ovs-vswitchd']) {
        for (const pid of pidsOf(runDir, role)) process.kill(pid, 'SIGKILL')
      }
      expect((await play('down')).code).toBe(0)
      expect(traces(runDir)).toEqual([])
      expect((await play('status')).code).toBe(3)
      expect((await play('table')).code).toBe(3)
      expect((await play('down')).code).toBe(0)
    },
    PATIENCE,
  )
})

test.each([80, 200, 350, 600])(
  'killed after %d ms of coming up, down leaves nothing',
  async (delay) => {
    const runDir = newRunDir(`crash${delay}`)
    const child = Bun.spawn([process.execPath, MAIN, 'play', '--run-dir', runDir], {
      stdout: 'ignore',
      stderr: 'ignore',
    })
    await Bun.sleep(delay)
    child.kill('SIGKILL')
    await child.exited
    expect((await weft('play', 'down', '--run-dir', runDir)).code).toBe(0)
    expect(traces(runDir)).toEqual([])
  },
  PATIENCE,
)

/** Pairs of pods by what the model says, and cells that are not as expected. */
async function expectations(play: (command: string, ...args: readonly string[]) => Promise<Ended>): Promise<object> {
  const { stdout } = await play('table', '--json')
  const { cells, wrong } = JSON.parse(stdout) as {
    readonly wrong: number
    readonly cells: readonly { readonly kind: string; readonly expected: boolean }[]
  }
  const pairs = cells.filter(({ kind }) => kind === 'pod-pod')
  const yes = pairs.filter(({ expected }) => expected).length
  return { yes, no: pairs.length - yes, wrong }
}

/** What is left of a playground: namespaces, processes, files. */
function traces(runDir: string): readonly string[] {
  const prefix = `${runDir.split('/').at(-1)}-`
  const namespaces = readdirSync('/run/netns').filter((name) => name.startsWith(prefix))
  return [...namespaces, ...pidsOf(runDir).map((pid) => `process ${pid}`), ...(existsSync(runDir) ? [runDir] : [])]
}

function pidsOf(runDir: string, role?: string): readonly number[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  return pids.map(Number).filter((pid) => {
    const variables = environmentOf(pid)
    if (!variables.includes(`WEFT_PLAYGROUND=${runDir}`)) return false
    return role === undefined || variables.includes(`WEFT_PLAYGROUND_ROLE=${role}`)
  })
}

function environmentOf(pid: number): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0')
  } catch {
    return []
  }
}

function newRunDir(name: string): string {
  const runDir = join(folder, `wefttest-${process.pid}-${name}`)
  runDirs.push(runDir)
  return runDir
}

async function weft(...args: readonly string[]): Promise<Ended> {
  const child = Bun.spawn([process.execPath, MAIN, ...args], { stdin: 'ignore', stdout: 'pipe', stderr: 'pipe' })
  const [stdout, stderr] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()])
  return { code: await child.exited, stdout, stderr }
}
