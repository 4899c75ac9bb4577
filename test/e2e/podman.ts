/**
 * A real container runtime calls the plugin, and portmap behind it: `podman run` on a network of type weft.
 * @module
 */
import { equal, match } from 'node:assert/strict'
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { systemCalls } from '../../src/linux/index.ts'
import { type Outcome, run } from '../lab/command.ts'
import { environment, eventually, type Lab, PLUGIN } from '../lab/lab.ts'
import { runScenario, type Scenario, type StepContext } from '../lab/scenario.ts'

const NETWORK = 'weft-e2e'
const IMAGE = 'weft-e2e-busybox'
const CONTAINER = 'weft-e2e-podman'
const BUSYBOX = '/bin/busybox'
const PORTMAP = '/usr/lib/cni/portmap'
/** The node's port that leads to the container's 80. */
const PUBLISHED = 38085

export const podman: Scenario = {
  name: 'podman',
  lab: { nodes: 1 },
  steps: [
    { title: 'podman run on a network of type weft: the container answers pings of pods', run: attach, skip: missing },
    { title: 'podman run -p: the node’s port leads to the container', run: published, skip: missing },
    { title: 'podman rm leaves nothing', run: detach, skip: missing },
  ],
}

function missing(): string | undefined {
  const lacking = [
    ...(Bun.which('podman') === null ? ['podman'] : []),
    // crun refuses a machine where both versions of cgroups are mounted.
    ...(Bun.which('runc') === null ? ['runc'] : []),
    ...(existsSync(BUSYBOX) ? [] : ['busybox-static']),
    ...(existsSync(PORTMAP) ? [] : ['containernetworking-plugins']),
    ...(Bun.which('iptables') === null ? ['iptables'] : []),
  ]
  return lacking.length === 0 ? undefined : `apt-get install ${lacking.join(' ')}`
}

async function attach({ lab, say }: StepContext): Promise<void> {
  const before = await lab.inventory(1)
  await makeImage(lab)
  configure(lab)
  const started = await call(
    lab,
    'run',
    '-d',
    '--name',
    CONTAINER,
    '--network',
    NETWORK,
    '--publish',
    `${PUBLISHED}:80`,
    IMAGE,
    '/busybox',
    'httpd',
    '-f',
    '-p',
    '[::]:80',
  )
  equal(started.code, 0, started.stderr)
  const { leases: attached } = await lab.agent(1).facts()
  const addresses = attached.find(({ network }) => network === NETWORK)?.endpoint.addresses ?? []
  const [address4 = '', address6 = ''] = addresses
  say(`the container has ${addresses.join(' and ')}`)
  match(address4, /^10\./)
  for (const [pod, reached] of [
    ['shop/web', true],
    ['default/monitor', true],
    ['bank/ledger', false],
  ] as const) {
    for (const address of [address4, address6]) {
      const { code, stdout } = await lab.inside(lab.netns(pod), 'ping', '-c', '2', '-W', '1', address)
      say(`${pod} pings ${address}: ${stdout.split('\n').find((line) => line.includes('transmitted'))}`)
      equal(code === 0, reached)
    }
  }
  const outward = ['exec', CONTAINER, '/busybox', 'ping', '-c', '1', lab.address('shop/web')]
  await eventually('the container pings a pod', async () => (await call(lab, ...outward)).code === 0)
  const { leases } = await lab.inventory(1)
  equal(leases, before.leases + 1)
}

async function published({ lab, say }: StepContext): Promise<void> {
  for (const [from, netns] of [
    ['outside', lab.layout.outsideNetns],
    ['bank/ledger', lab.netns('bank/ledger')],
  ] as const) {
    for (const address of lab.node(1).addresses) {
      // In one write: the server closes after its answer, and a rest that comes later is answered with a reset.
      const ask = `exec 3<>/dev/tcp/${address}/${PUBLISHED} && cat <<<$'GET / HTTP/1.0\\r\\n\\r' >&3 && head -n 1 <&3`
      const { stdout, stderr } = await lab.inside(netns, 'timeout', '5', 'bash', '-c', ask)
      match(stdout, /^HTTP\/1\.[01] /, stderr)
      say(`${from} → ${address} port ${PUBLISHED}: ${stdout.trim()}`)
    }
  }
}

async function detach({ lab, say }: StepContext): Promise<void> {
  const { code, stderr } = await call(lab, 'rm', '-f', '-t', '0', CONTAINER)
  equal(code, 0, stderr)
  const { stdout: rules } = await lab.inside(lab.node(1).netns, 'iptables-save', '-t', 'nat')
  equal(rules.includes(`--dport ${PUBLISHED}`), false, rules)
  await call(lab, 'rmi', '-f', IMAGE)
  unmountBelow(folder(lab))
  await eventually('the attachment is gone', async () => {
    const { leases, ports } = await lab.inventory(1)
    return leases === PODS && ports === PODS
  })
  say(await lab.expectCleanAudit())
}

/** podman leaves its storage mounted. */
function unmountBelow(path: string): void {
  const mounts = readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[1] ?? '')
  for (const mount of mounts.filter((each) => each.startsWith(`${path}/`)).reverse()) systemCalls().umount2(mount, 2)
}

/** Pods that the playground runs on its only node: those of the demo, and DNS. */
const PODS = 8

/** Everything that podman writes is in the playground's folder. */
function folder(lab: Lab): string {
  return join(lab.layout.runDir, 'podman')
}

function call(lab: Lab, ...args: readonly string[]): Promise<Outcome> {
  const root = folder(lab)
  const places = ['--root', join(root, 'storage'), '--runroot', join(root, 'run'), '--tmpdir', join(root, 'tmp')]
  const ways = [
    '--runtime',
    'runc',
    '--cgroup-manager',
    'cgroupfs',
    '--events-backend',
    'none',
    '--network-backend',
    'cni',
  ]
  const network = ['--network-config-dir', join(root, 'net.d')]
  const env = {
    ...environment(),
    HOME: root,
    CONTAINERS_CONF: join(root, 'containers.conf'),
  }
  return run(['podman', ...places, ...ways, ...network, ...args], { env })
}

/** An image with busybox alone, from a tar archive: no registry is asked. */
async function makeImage(lab: Lab): Promise<void> {
  const root = folder(lab)
  const tree = join(root, 'image')
  mkdirSync(tree, { recursive: true })
  mkdirSync(join(root, 'net.d'))
  copyFileSync(BUSYBOX, join(tree, 'busybox'))
  const plugins = [join(root, 'bin'), '/usr/lib/cni'].map((path) => JSON.stringify(path)).join(', ')
  // A container's limits are not what is tested, and not everywhere to be had.
  writeFileSync(
    join(root, 'containers.conf'),
    `[network]\ncni_plugin_dirs = [${plugins}]\n[containers]\noom_score_adj = 0\ndefault_ulimits = []\n`,
  )
  const archive = join(root, 'image.tar')
  equal((await run(['tar', '-C', tree, '-cf', archive, '.'])).code, 0)
  const { code, stderr } = await call(lab, 'import', archive, IMAGE)
  equal(code, 0, stderr)
}

/** The network as an administrator writes it. */
function configure(lab: Lab): void {
  const bin = join(folder(lab), 'bin')
  mkdirSync(bin)
  // podman detaches from a process of its own with an environment of its own, which knows no other socket than usual.
  const script = `#!/bin/sh\nexport WEFT_CNI_SOCKET=${lab.node(1).cniSocket}\nexec ${PLUGIN}\n`
  writeFileSync(join(bin, 'weft'), script, { mode: 0o755 })
  // The runtime is this machine's, the node a namespace of its own.
  const inNode = `#!/bin/sh\nexec ip netns exec ${lab.node(1).netns} ${PORTMAP}\n`
  writeFileSync(join(bin, 'portmap'), inNode, { mode: 0o755 })
  const portmap = { type: 'portmap', capabilities: { portMappings: true }, snat: true }
  const conflist = { cniVersion: '0.4.0', name: NETWORK, plugins: [{ type: 'weft', namespace: 'shop' }, portmap] }
  writeFileSync(join(folder(lab), 'net.d', `${NETWORK}.conflist`), JSON.stringify(conflist))
}

if (import.meta.main) await runScenario(podman)
