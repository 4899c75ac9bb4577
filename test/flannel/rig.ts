/**
 * Machines with Docker as network namespaces: each with a link to a common segment, a bridge `docker0` that is re-addressed
 * from `subnet.env` as Docker's start would do it, and a pod on it. etcd is on the segment, as on a master.
 * @module
 */
import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { variablesIn } from '../../src/compat/flannel/subnet-env.ts'
import { ETCDS } from '../etcd/etcd-server.ts'
import { eventually, type Running, start } from '../kube/process.ts'
import { type Outcome, output, run } from '../lab/command.ts'

const MAIN = join(import.meta.dir, '../../src/main.ts')
export const PATIENCE = 60_000
/** Where etcd is. */
export const MASTER = '192.0.2.254'
export const PREFIX = '/atomic.io/network'
/** The same machine runs the tests of others at the same time. */
const TAG = `wefttest-flannel-${process.pid}`

/** What every rig needs of this machine; undefined when it is there. */
export function obstacle(): string | undefined {
  const missing = ['ip', 'nsenter', 'nft', 'iptables', 'ping', 'etcdctl'].filter((tool) => Bun.which(tool) === null)
  if (missing.length > 0 || ETCDS.length === 0) return `SKIPPED: install ${[...missing, 'etcd-server'].join(', ')}`
  return process.getuid?.() === 0 ? undefined : 'SKIPPED: it takes root'
}

/** The same for tests that `npm run test:long` runs, and `npm test` says that it does not. */
export function longObstacle(): string | undefined {
  return process.env['WEFT_TEST_LONG'] === undefined ? 'npm run test:long' : obstacle()
}

/** Runs a program in a namespace and returns what it printed. */
export function inside(namespace: string, ...argv: readonly string[]): Promise<string> {
  return output(enter(namespace, argv))
}

/** The same; its failure is a result. */
export function attempt(namespace: string, ...argv: readonly string[]): Promise<Outcome> {
  return run(enter(namespace, argv))
}

function enter(namespace: string, argv: readonly string[]): readonly string[] {
  return ['nsenter', `--net=/run/netns/${namespace}`, ...argv]
}

/** The executable under one of its names. */
function called(name: string, words: readonly string[]): readonly string[] {
  return ['bash', '-c', `exec -a ${name} "$@"`, 'bash', process.execPath, MAIN, ...words]
}

/** A machine. */
export class Host {
  readonly index: number
  readonly namespace: string
  readonly pod: string
  readonly address: string
  readonly folder: string
  #daemon: Running | undefined

  constructor(index: number, folder: string) {
    this.index = index
    this.namespace = `${TAG}-${index}`
    this.pod = `${TAG}-${index}-pod`
    this.address = `192.0.2.${index}`
    this.folder = folder
  }

  get log(): string {
    return readFileSync(join(this.folder, 'log'), 'utf8')
  }

  get pid(): number | undefined {
    return this.#daemon?.pid
  }

  /** Starts flanneld as the seed types it; more flags win. */
  start(...flags: readonly string[]): void {
    this.run('flanneld', [`-etcd-endpoints=http://${MASTER}:2379`, `-etcd-prefix=${PREFIX}`, ...this.#place, ...flags])
  }

  /** Starts it as the seed's unit does, by what the unit's file of variables says. */
  startByUnit(...flags: readonly string[]): void {
    const variables = [`FLANNEL_ETCD_ENDPOINTS=http://${MASTER}:2379`, `FLANNEL_ETCD_PREFIX=${PREFIX}`]
    this.run('flanneld-start', [...this.#place, ...flags], variables)
  }

  /** Runs the executable under a name, as this machine's daemon. */
  run(name: string, words: readonly string[], variables: readonly string[] = []): void {
    const command = enter(this.namespace, ['env', ...variables, ...called(name, words)])
    this.#daemon = start(command, join(this.folder, 'log'))
  }

  /** Starts it with its leases in Kubernetes. */
  startInCluster(kubeconfig: string, config: string, variables: readonly string[]): void {
    const cluster = ['--kube-subnet-mgr', `--kubeconfig-file=${kubeconfig}`, `--net-config-path=${config}`]
    this.run('flanneld', [...cluster, '--ip-masq', ...this.#place], variables)
  }

  /** Where machines differ that share a file system. */
  get #place(): readonly string[] {
    return ['-iface=eth0', `-subnet-file=${this.subnetFile}`]
  }

  async stop(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    await this.#daemon?.stop(signal)
    this.#daemon = undefined
  }

  /** Runs a command of `weft` here. */
  weft(...words: readonly string[]): Promise<Outcome> {
    return run(enter(this.namespace, called('weft', words)))
  }

  /** Where `subnet.env` is. */
  get subnetFile(): string {
    return join(this.folder, 'subnet.env')
  }

  /** The daemon's exit code, when it has ended by itself. */
  async ended(): Promise<number | undefined> {
    return this.#daemon?.exited
  }

  /** What `subnet.env` says, as soon as it is there. */
  async env(): Promise<ReadonlyMap<string, string>> {
    return eventually(async () => {
      const variables = variablesIn(readFileSync(join(this.folder, 'subnet.env'), 'utf8'))
      if (!variables.has('FLANNEL_SUBNET')) throw new Error('there is no subnet yet')
      return variables
    }, PATIENCE)
  }

  async subnet(): Promise<string> {
    return ((await this.env()).get('FLANNEL_SUBNET') ?? '').replace('.1/', '.0/')
  }

  get podAddress(): Promise<string> {
    return this.env().then((env) => (env.get('FLANNEL_SUBNET') ?? '').replace('.1/24', '.2'))
  }

  /** What Docker does with the options that the unit has made for it: the bridge's address, and the pods'. */
  async dock(): Promise<void> {
    await this.env()
    const made = join(this.folder, 'docker')
    const words = ['-k', 'DOCKER_NETWORK_OPTIONS', '-d', made, '-f', join(this.folder, 'subnet.env')]
    await output(called('mk-docker-opts.sh', words))
    const [, options = ''] = /^DOCKER_NETWORK_OPTIONS="(.*)"$/m.exec(readFileSync(made, 'utf8')) ?? []
    const [, gateway = ''] = /--bip=(\S+)/.exec(options) ?? []
    const [, mtu = ''] = /--mtu=(\S+)/.exec(options) ?? []
    await inside(this.namespace, 'ip', '-4', 'address', 'flush', 'dev', 'docker0')
    await inside(this.namespace, 'ip', 'address', 'add', gateway, 'dev', 'docker0')
    await inside(this.namespace, 'ip', 'link', 'set', 'docker0', 'mtu', mtu, 'up')
    await inside(this.pod, 'ip', '-4', 'address', 'flush', 'dev', 'eth0')
    await inside(this.pod, 'ip', 'address', 'add', gateway.replace('.1/', '.2/'), 'dev', 'eth0')
    await inside(this.pod, 'ip', 'link', 'set', 'eth0', 'mtu', mtu, 'up')
    await inside(this.pod, 'ip', 'route', 'replace', 'default', 'via', gateway.replace(/\/.*/, ''))
  }

  /** The daemon's own tunnel and what it left is gone with the namespace; the process that forwards is not. */
  async down(): Promise<void> {
    await this.stop('SIGKILL').catch(() => undefined)
    for (const namespace of [this.pod, this.namespace]) {
      for (const pid of (await run(['ip', 'netns', 'pids', namespace])).stdout
        .split('\n')
        .filter((one) => one !== '')) {
        process.kill(Number(pid), 'SIGKILL')
      }
      await run(['ip', 'netns', 'delete', namespace])
    }
  }
}

/** Machines on one segment, and etcd. */
export class Rig {
  readonly hosts: readonly Host[]
  readonly wire = `${TAG}-wire`
  /** Made by {@link up}: a rig whose tests are left out leaves nothing. */
  readonly folder = join(tmpdir(), `weft-flannel-${crypto.randomUUID()}`)
  #etcd: Running | undefined

  constructor(count: number) {
    this.hosts = Array.from({ length: count }, (_, i) => new Host(i + 1, join(this.folder, `host${i + 1}`)))
  }

  host(index: number): Host {
    const found = this.hosts[index - 1]
    if (found === undefined) throw new Error(`there is no machine ${index}`)
    return found
  }

  /** Makes them; etcd is started where leases are to be kept in one. */
  async up({ hasEtcd = true }: { readonly hasEtcd?: boolean } = {}): Promise<void> {
    for (const { folder } of this.hosts) mkdirSync(folder, { recursive: true, mode: 0o700 })
    await output(['ip', 'netns', 'add', this.wire])
    await batch(this.wire, [
      'link set lo up',
      'link add wire type bridge',
      `address add ${MASTER}/24 dev wire`,
      'link set wire up',
    ])
    await Promise.all(this.hosts.map((host) => this.#connect(host)))
    if (hasEtcd) await this.startEtcd()
  }

  async #connect({ index, namespace, pod, address }: Host): Promise<void> {
    await output(['ip', 'netns', 'add', namespace])
    await output(['ip', 'netns', 'add', pod])
    await batch(namespace, [
      'link set lo up',
      `link add eth0 type veth peer name host${index} netns ${this.wire}`,
      `address add ${address}/24 dev eth0`,
      'link set eth0 up',
      'link add docker0 type bridge',
      'address add 172.17.0.1/16 dev docker0',
      `link add pod0 master docker0 type veth peer name eth0 netns ${pod}`,
      'link set pod0 up',
      'link set docker0 up',
    ])
    await batch(this.wire, [`link set host${index} master wire up`])
    await batch(pod, ['link set lo up', 'link set eth0 up'])
    // As Docker does.
    await inside(namespace, 'sysctl', '-qw', 'net.ipv4.ip_forward=1')
    await inside(namespace, 'iptables', '-w', '-P', 'FORWARD', 'DROP')
    await inside(namespace, 'iptables', '-w', '-A', 'FORWARD', '-i', 'docker0', '!', '-o', 'docker0', '-j', 'ACCEPT')
  }

  /** Starts etcd with what it kept. */
  async startEtcd(): Promise<void> {
    const [program] = ETCDS
    if (program === undefined) throw new Error('there is no etcd')
    const urls = [
      `--data-dir=${join(this.folder, 'etcd')}`,
      `--listen-client-urls=http://${MASTER}:2379`,
      `--advertise-client-urls=http://${MASTER}:2379`,
      `--listen-peer-urls=http://${MASTER}:2380`,
      `--initial-advertise-peer-urls=http://${MASTER}:2380`,
      `--initial-cluster=default=http://${MASTER}:2380`,
      '--enable-v2',
      '--unsafe-no-fsync',
    ]
    this.#etcd = start(enter(this.wire, [program, ...urls]), join(this.folder, 'etcd.log'))
    await eventually(() => this.etcdctl(3, 'endpoint', 'health'), PATIENCE)
  }

  async stopEtcd(): Promise<void> {
    await this.#etcd?.stop('SIGKILL')
  }

  /** Runs etcdctl, as people do. Throws what it says. */
  async etcdctl(api: 2 | 3, ...args: readonly string[]): Promise<string> {
    // Its own patience is seconds, and the machine may have much else to do.
    const patience = api === 2 ? ['--timeout=30s', '--total-timeout=30s'] : ['--command-timeout=30s']
    const argv = enter(this.wire, ['etcdctl', '--endpoints', `http://${MASTER}:2379`, ...patience, ...args])
    return (await output(argv, { env: { ...process.env, ETCDCTL_API: String(api) } as Record<string, string> })).trim()
  }

  /** Writes the network configuration as the seed has it. */
  async configure(api: 2 | 3, text: string): Promise<void> {
    await this.etcdctl(api, ...(api === 2 ? ['mk'] : ['put']), `${PREFIX}/config`, text)
  }

  /** Lets the machines have their subnets, and their pods addresses. */
  async dockAll(): Promise<void> {
    await Promise.all(this.hosts.map((host) => host.dock()))
  }

  /** Pings from each pod to each other machine's pod, until all answer. */
  async expectMesh(): Promise<void> {
    const pairs = this.hosts.flatMap((from) => this.hosts.flatMap((to) => (from === to ? [] : [[from, to] as const])))
    await Promise.all(
      pairs.map(([from, to]) =>
        eventually(async () => inside(from.pod, 'ping', '-c1', '-W1', await to.podAddress), PATIENCE).catch((cause) => {
          throw new Error(`the pod of ${from.namespace} does not reach that of ${to.namespace}:\n${from.log}`, {
            cause,
          })
        }),
      ),
    )
  }

  async down(): Promise<void> {
    for (const host of this.hosts) await host.down()
    await this.stopEtcd().catch(() => undefined)
    await run(['ip', 'netns', 'delete', this.wire])
    rmSync(this.folder, { recursive: true, force: true })
  }
}

function batch(namespace: string, lines: readonly string[]): Promise<string> {
  return output(['ip', '-n', namespace, '-batch', '-'], { input: `${lines.join('\n')}\n` })
}
