/**
 * The image as runtimes meet it: imported by containerd and podman, run, and the executable on a processor without AVX.
 * Half a minute: `npm run test:image`.
 */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { hostPlan } from '../../src/network/host.ts'
import { output, run } from '../lab/command.ts'
import { samplePlanner } from '../tables/sample-node.ts'
import { Containerd } from './containerd.ts'

setDefaultTimeout(120_000)

const ROOT = join(import.meta.dir, '../..')
const NAME = 'registry.example:5000/net/weft:wefttest'
const wanted = process.env['WEFT_TEST_IMAGE'] !== undefined
const VERSION = /^\d+\.\d+\.\d+\n$/

let folder: string
let archive: string
let digest: string

beforeAll(async () => {
  if (!wanted) return
  folder = mkdtempSync(join(tmpdir(), 'wefttest-image-'))
  archive = join(folder, 'weft.tar')
  digest = await make(archive)
})
afterAll(() => wanted && rmSync(folder, { recursive: true, force: true }))

test.skipIf(!wanted)('made again, it is the same (npm run test:image)', async () => {
  const again = join(folder, 'again.tar')
  expect(await make(again)).toBe(digest)
  expect(readFileSync(again).equals(readFileSync(archive))).toBe(true)
})

describe.skipIf(!wanted || lacks('containerd') || lacks('runc'))('containerd (apt-get install containerd runc)', () => {
  let containerd: Containerd
  let image: string
  beforeAll(async () => {
    containerd = await Containerd.start()
    image = await containerd.import(archive)
  })
  afterAll(() => containerd?.[Symbol.asyncDispose]())

  test('knows it by the name it was given', () => expect(image).toBe(NAME))

  test('runs the program and its help', async () => {
    expect((await containerd.run(image, 'weft', '--version')).stdout).toMatch(VERSION)
    expect((await containerd.run(image, 'k8s-ovs', '--version')).stderr).toMatch(VERSION)
    expect((await containerd.run(image, 'weft', 'agent', '--help')).stdout).toContain('Usage: weft agent')
    expect((await containerd.run(image, 'weft', 'controller', '--help')).stdout).toContain('Usage: weft controller')
  })

  test('runs weft when nothing else is said', async () => {
    expect((await containerd.entrypoint(image)).stderr).toContain('weft')
  })

  test('has the addon: the kernel is asked', async () => {
    const { stdout } = await containerd.run(image, 'weft', 'doctor', '--json')
    expect(stdout).toStartWith('{')
    expect(stdout).not.toContain('weft_sys.node')
  })

  test.each(['weft', 'k8s-ovs'])('holds the CNI plugin under the name %s', async (name) => {
    expect((await containerd.run(image, `/usr/lib/weft/cni/${name}`)).stderr).toContain('CNI plugin of Weft')
  })

  test('has an nft that takes the rules of a node', async () => {
    const planner = samplePlanner()
    const rules = hostPlan(planner.context, planner.publication()).nftables
    // A file would have to be mounted, and there is no shell; nft takes commands as arguments.
    expect(await containerd.run(image, 'nft', rules)).toMatchObject({ code: 0, stderr: '' })
    expect((await containerd.run(image, 'nft', '-j', 'list', 'ruleset')).stdout).toContain('json_schema_version')
  })

  test('has no shell', async () => {
    expect((await containerd.run(image, 'sh', '-c', 'true')).stderr).toContain('not found')
  })
})

describe.skipIf(!wanted || lacks('podman') || lacks('runc'))('podman (apt-get install podman runc)', () => {
  test.each([['oci-archive'], ['docker-archive']])('takes it as %s and runs it', async (format) => {
    // A container's limits are not what is tested, and not everywhere to be had.
    const limits = join(folder, 'containers.conf')
    writeFileSync(limits, '[containers]\noom_score_adj = 0\ndefault_ulimits = []\n')
    const env = { PATH: process.env['PATH'] ?? '', HOME: folder, CONTAINERS_CONF: limits }
    const places = ['--root', join(folder, 'storage'), '--runroot', join(folder, 'run'), '--storage-driver', 'overlay']
    const podman = (...argv: readonly string[]): Promise<string> => output(['podman', ...places, ...argv], { env })
    await podman('pull', '-q', `${format}:${archive}`)
    expect(await podman('run', '--rm', '--network', 'none', '--runtime', 'runc', NAME, '--version')).toMatch(VERSION)
    await podman('rmi', '-f', NAME)
  })
})

describe.skipIf(!wanted || lacks('qemu-x86_64'))('a processor of 2008 (apt-get install qemu-user)', () => {
  const weft = join(ROOT, 'dist/weft')

  test('runs the executable, which needs no AVX', async () => {
    expect(await output(['qemu-x86_64', '-cpu', 'Nehalem', weft, '--version'])).toMatch(VERSION)
    expect(await output(['qemu-x86_64', '-cpu', 'Nehalem', weft, 'docs', 'pipeline'])).toContain('| ')
  })

  test('is really one: one without SSE 4.2 does not', async () => {
    expect((await run(['qemu-x86_64', '-cpu', 'core2duo', weft, '--version'])).code).not.toBe(0)
  })
})

/** Makes the image; resolves to its digest. */
async function make(path: string): Promise<string> {
  const lines = await output(['node', join(ROOT, 'scripts/image.mjs'), '--name', NAME, '--output', path])
  return lines.trim().split('\n').at(-1) ?? ''
}

function lacks(program: string): boolean {
  return Bun.which(program) === null
}
