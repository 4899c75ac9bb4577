/**
 * The CNI type `flannel` by our executable, with the plugins `bridge` and `host-local` of others, as a runtime calls it.
 */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { output, run } from '../lab/command.ts'
import { PATIENCE } from './rig.ts'

const REAL = '/usr/lib/cni'
const lacking = ['bridge', 'host-local'].some((name) => !existsSync(join(REAL, name)))
const reason =
  process.getuid?.() !== 0
    ? 'SKIPPED: it takes root'
    : lacking
      ? 'SKIPPED: install containernetworking-plugins'
      : undefined
if (reason !== undefined) console.log(reason)

const TAG = `wefttest-flannel-cni-${process.pid}`
const ENV = 'FLANNEL_NETWORK=10.244.0.0/16\nFLANNEL_SUBNET=10.244.7.1/24\nFLANNEL_MTU=1450\nFLANNEL_IPMASQ=true\n'

describe.skipIf(reason !== undefined)(`the CNI type flannel${reason ? ` (${reason})` : ''}`, () => {
  const [host, pod] = [`${TAG}-host`, `${TAG}-pod`]
  let folder = ''
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'wefttest-flannel-cni-'))
    mkdirSync(join(folder, 'bin'))
    for (const name of ['bridge', 'host-local']) symlinkSync(join(REAL, name), join(folder, 'bin', name))
    // The room alone: the whole program would be read anew for each call.
    const main = join(folder, 'main.ts')
    const plugin = join(import.meta.dir, '../../src/cli/flanneld/plugin.ts')
    writeFileSync(main, `import { runFlannelPlugin } from '${plugin}'\nprocess.exitCode = await runFlannelPlugin()\n`)
    writeFileSync(join(folder, 'bin/flannel'), `#!/bin/bash\nexec ${process.execPath} ${main}\n`)
    chmodSync(join(folder, 'bin/flannel'), 0o755)
    for (const name of [host, pod]) await output(['ip', 'netns', 'add', name])
  })
  afterAll(async () => {
    for (const name of [host, pod]) await run(['ip', 'netns', 'delete', name])
    rmSync(folder, { recursive: true, force: true })
  })

  /** As kube-flannel's conflist has it. */
  const conf = (more: object = {}) => ({
    cniVersion: '1.0.0',
    name: 'cbr0',
    type: 'flannel',
    subnetFile: join(folder, 'subnet.env'),
    dataDir: join(folder, 'data'),
    delegate: { hairpinMode: true, isDefaultGateway: true },
    ipam: { dataDir: join(folder, 'ipam') },
    ...more,
  })

  async function call(verb: string, config: object, more: Readonly<Record<string, string>> = {}) {
    const env = {
      PATH: process.env['PATH'] ?? '',
      CNI_COMMAND: verb,
      CNI_CONTAINERID: 'c1',
      CNI_NETNS: `/run/netns/${pod}`,
      CNI_IFNAME: 'eth0',
      CNI_PATH: join(folder, 'bin'),
      ...more,
    }
    const argv = ['nsenter', `--net=/run/netns/${host}`, join(folder, 'bin/flannel')]
    const { code, stdout } = await run(argv, { env, input: JSON.stringify(config) })
    return { code, answer: stdout === '' ? undefined : JSON.parse(stdout) }
  }

  test(
    'until flanneld has a subnet, the runtime tries again',
    async () => {
      expect((await call('VERSION', conf())).answer.supportedVersions).toContain('0.3.1')
      const without = await call('ADD', conf())
      expect(without).toMatchObject({ code: 1, answer: { code: 11 } })
      expect(without.answer.msg).toContain('ENOENT')
      expect(await call('STATUS', conf({ cniVersion: '1.1.0' }))).toMatchObject({ code: 1, answer: { code: 50 } })
      writeFileSync(join(folder, 'subnet.env'), ENV.replace('FLANNEL_MTU=1450', 'FLANNEL_MTU=x'))
      const garbled = await call('ADD', conf())
      expect(garbled.answer.code).toBe(11)
      expect(garbled.answer.msg).toContain('FLANNEL_MTU')
      expect(existsSync(join(folder, 'data'))).toBe(false)
    },
    3 * PATIENCE,
  )

  test(
    'a pod gets an address of the machine’s subnet, the MTU and the way to the network, and loses them',
    async () => {
      writeFileSync(join(folder, 'subnet.env'), ENV)
      const { code, answer } = await call('ADD', conf())
      expect([code, answer.msg, answer.details]).toEqual([0, undefined, undefined])
      expect(answer).toMatchObject({ cniVersion: '1.0.0', ips: [{ gateway: '10.244.7.1' }] })
      expect(answer.ips[0].address).toMatch(/^10\.244\.7\.\d+\/24$/)
      expect(answer.routes).toContainEqual(expect.objectContaining({ dst: '10.244.0.0/16' }))
      const inPod = (...argv: readonly string[]) => output(['ip', 'netns', 'exec', pod, ...argv])
      expect(await inPod('ip', 'link', 'show', 'eth0')).toContain('mtu 1450')
      expect(await inPod('ping', '-c1', '-W5', '10.244.7.1')).toContain('1 received')
      expect(readdirSync(join(folder, 'data'))).toEqual(['c1'])
      expect(await call('CHECK', conf({ prevResult: answer }))).toEqual({ code: 0, answer: undefined })
      // A second interface of the same pod has a record of its own.
      expect((await call('ADD', conf(), { CNI_IFNAME: 'net1' })).code).toBe(0)
      expect((await call('DEL', conf(), { CNI_IFNAME: 'net1' })).code).toBe(0)
      expect(await inPod('ping', '-c1', '-W5', '10.244.7.1')).toContain('1 received')
      // Without flanneld, and twice.
      rmSync(join(folder, 'subnet.env'))
      for (const _time of [1, 2]) expect((await call('DEL', conf())).code).toBe(0)
      expect(readdirSync(join(folder, 'data'))).toEqual([])
      expect(readdirSync(join(folder, 'ipam/cbr0')).filter((name) => name.startsWith('10.'))).toEqual([])
      expect((await run(['ip', 'netns', 'exec', pod, 'ip', 'link', 'show', 'eth0'])).code).not.toBe(0)
      expect((await call('CHECK', conf({ prevResult: answer }))).answer).toMatchObject({ code: 3 })
    },
    3 * PATIENCE,
  )

  test(
    'an ADD looks at no other pod’s note: what a killed one left goes with GC',
    async () => {
      writeFileSync(join(folder, 'subnet.env'), ENV)
      mkdirSync(join(folder, 'data'), { recursive: true })
      const pidNamespace = /\d+/.exec(readlinkSync('/proc/self/ns/pid'))?.[0]
      const draft = `.c0.weft-${pidNamespace}-4194304`
      writeFileSync(join(folder, 'data', draft), '{}')
      expect((await call('ADD', conf())).code).toBe(0)
      expect(readdirSync(join(folder, 'data')).sort()).toEqual([draft, 'c1'])
      const attached = [{ containerID: 'c1', ifname: 'eth0' }]
      const gc = conf({ cniVersion: '1.1.0', 'cni.dev/valid-attachments': attached })
      expect((await call('GC', gc)).code).toBe(0)
      expect(readdirSync(join(folder, 'data'))).toEqual(['c1'])
      expect((await call('DEL', conf())).code).toBe(0)
    },
    4 * PATIENCE,
  )

  test(
    'an identifier that is a path is none',
    async () => {
      const { answer } = await call('DEL', conf(), { CNI_CONTAINERID: '../../etc/passwd' })
      expect(answer).toMatchObject({ code: 4 })
    },
    3 * PATIENCE,
  )
})
