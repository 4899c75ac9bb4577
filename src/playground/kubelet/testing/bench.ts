/**
 * One node with a kubelet and a plugin of sticks: enough of a network that the node reaches its pods, with faults on
 * request. Everything else is real: namespaces, processes, the kernel.
 * @module
 */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import type { KubeApi } from '../../../kube/api.ts'
import type { KubeObject } from '../../../kube/object.ts'
import { EVENTS, PODS } from '../../../kube/resources.ts'
import { MemoryApi } from '../../../kube/testing/memory-api.ts'
import { ip } from '../../../network/model/address.ts'
import { command } from '../../command.ts'
import { addNamespace } from '../../lab/namespaces.ts'
import { type Layout, layoutOf, type NodeLayout, nodeLayout } from '../../layout.ts'
import { until } from '../../processes.ts'
import { makeFolders } from '../../state.ts'
import { tearDown } from '../../tear-down.ts'
import type { Timing } from '../context.ts'
import { runKubelet } from '../kubelet.ts'
import { podRuntime } from '../pod-runtime.ts'
import { fields, list } from '../read.ts'

const PATIENCE = 15_000
const QUICK: Partial<Timing> = {
  relist: 50,
  sandboxBackoff: 50,
  mostSandboxBackoff: 400,
  backoff: 300,
  mostBackoff: 600,
  nodeStatus: 100,
  lease: 200,
}

/** A spec of a pod, beyond its node. */
export type Spec = Readonly<Record<string, unknown>>

/** A node with its kubelet. */
export class Bench {
  readonly api = new MemoryApi()
  readonly layout: Layout
  readonly node: NodeLayout
  readonly runtime
  /** Hands the bench to another process. */
  readonly folder: string
  readonly #faults: string
  #ending = new AbortController()
  #running: Promise<void> = Promise.resolve()

  /** A bench of its own, or another one's that lives in this folder. */
  constructor(folder?: string) {
    const parent = folder ?? mkdtempSync(join(tmpdir(), 'wefttest-kl'))
    this.folder = parent
    // The folder's name begins the names of namespaces.
    this.layout = layoutOf(join(parent, basename(parent).toLowerCase()))
    this.node = nodeLayout(this.layout, 1)
    this.#faults = join(this.layout.runDir, 'faults')
    this.runtime = podRuntime([this.node])
  }

  /** Makes the node. */
  async up(): Promise<void> {
    makeFolders(this.layout)
    mkdirSync(this.#faults)
    mkdirSync(join(this.node.dir, 'pods'), { recursive: true })
    addNamespace(this.layout, this.node.netns)
    await command(['ip', '-n', this.node.netns, 'link', 'set', 'lo', 'up'])
    const plugin = join(this.layout.runDir, 'sticks')
    writeFileSync(plugin, PLUGIN)
    chmodSync(plugin, 0o755)
    const conf = { cniVersion: '1.1.0', name: 'test', type: 'sticks' }
    writeFileSync(join(this.layout.runDir, 'net.conf'), JSON.stringify(conf))
  }

  async down(): Promise<void> {
    await this.stop()
    await tearDown(this.layout)
    rmSync(join(this.layout.runDir, '..'), { recursive: true, force: true })
  }

  /** Starts the kubelet, on the API in memory or another. */
  start(api: KubeApi = this.api): void {
    this.#ending = new AbortController()
    this.#running = runKubelet({
      api,
      layout: this.layout,
      node: this.node,
      addresses: [ip('10.99.0.1')],
      runtime: {
        binDir: this.layout.runDir,
        confFile: join(this.layout.runDir, 'net.conf'),
        env: { NODE: this.node.netns, FAULTS: this.#faults },
        patience: 1000,
      },
      names: { servers: [ip('172.30.0.10')], domain: 'cluster.local' },
      timing: QUICK,
      log: { debug: ignore, info: ignore, warn: ignore, error: console.error },
      now: Date.now,
      signal: this.#ending.signal,
    })
  }

  /** Stops the kubelet; what it runs goes on. */
  async stop(): Promise<void> {
    this.#ending.abort()
    await this.#running
  }

  /** `fail` with a CNI error of a code, `hang`, or nothing. */
  fault(verb: string, kind: 'fail' | 'hang' | 'none', code = 999): void {
    const file = join(this.#faults, verb)
    if (kind === 'none') rmSync(file, { force: true })
    else
      writeFileSync(file, kind === 'hang' ? 'hang' : JSON.stringify({ cniVersion: '1.1.0', code, msg: 'on purpose' }))
  }

  /** Creates a pod on the node. */
  async create(name: string, spec: Spec): Promise<KubeObject> {
    return this.api.create(PODS, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace: 'test', labels: { app: name } },
      spec: { nodeName: this.node.name, ...spec },
    })
  }

  pod(name: string): KubeObject | undefined {
    return this.api.all(PODS).find(({ metadata }) => metadata.name === name)
  }

  status(name: string): Readonly<Record<string, unknown>> {
    return fields(this.pod(name)?.['status'])
  }

  /** The status of a pod's container. */
  container(pod: string, name?: string): Readonly<Record<string, unknown>> {
    const all = list(this.status(pod)['containerStatuses']).map(fields)
    return all.find((each) => name === undefined || each['name'] === name) ?? {}
  }

  isReady(pod: string): boolean {
    const conditions = list(this.status(pod)['conditions']).map(fields)
    return conditions.some(({ type, status }) => type === 'Ready' && status === 'True')
  }

  events(pod: string): readonly string[] {
    const all = this.api.all(EVENTS).filter((each) => fields(each['involvedObject'])['name'] === pod)
    return all.map((each) => `${each['reason']}: ${each['message']}`)
  }

  /** Waits until something holds; throws with the pod's state when it does not. */
  async until(what: string, holds: () => boolean): Promise<void> {
    if (await until(holds, PATIENCE)) return
    const pods = this.api.all(PODS).map(({ metadata, ...rest }) => [metadata.name, rest['status']])
    throw new Error(`${what} does not hold: ${JSON.stringify(pods)}`)
  }

  async ready(pod: string): Promise<void> {
    await this.until(`${pod} is ready`, () => this.isReady(pod))
  }

  async delete(name: string, gracePeriodSeconds?: number): Promise<void> {
    const options = gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }
    await this.api.delete(PODS, { namespace: 'test', name }, options)
  }

  async gone(name: string): Promise<void> {
    await this.until(`${name} is gone`, () => this.pod(name) === undefined)
  }

  /** Runs a command in a pod; what it says and its exit code. */
  async exec(
    pod: string,
    command: readonly string[],
    input?: string,
  ): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }> {
    const object = this.pod(pod)
    if (object === undefined) throw new Error(`there is no pod ${pod}`)
    const session = await this.runtime.exec(object, {
      command,
      stdin: input !== undefined,
      stdout: true,
      stderr: true,
      tty: false,
    })
    if (input !== undefined) session.write(new TextEncoder().encode(input))
    session.endInput()
    const [stdout, stderr, code] = await Promise.all([
      new Response(session.stdout).text(),
      new Response(session.stderr).text(),
      session.exited,
    ])
    return { code, stdout, stderr }
  }

  async logs(pod: string, options: Readonly<Record<string, unknown>> = {}): Promise<string> {
    const object = this.pod(pod)
    if (object === undefined) throw new Error(`there is no pod ${pod}`)
    const wanted = { follow: false, previous: false, timestamps: false, ...options }
    return new Response(await this.runtime.logs(object, wanted, AbortSignal.timeout(PATIENCE))).text()
  }
}

/** A container that runs a line of shell. */
export function shell(line: string, rest: object = {}): object {
  return { name: 'main', image: 'none', command: ['sh', '-c', line], ...rest }
}

/** A line that goes on until it is asked to end. */
export const FOREVER = 'trap "exit 0" TERM; while :; do sleep 0.05; done'

function ignore(): void {}

/** A veth to the node, whose end has the pod's gateway; the number of the pod is that of its link in the node. */
const PLUGIN = `#!/bin/sh
fault=$(cat "$FAULTS/$CNI_COMMAND" 2> /dev/null)
case "$fault" in
  hang) sleep 1000 ;;
  ?*) printf %s "$fault"; exit 1 ;;
esac
pod=\${CNI_NETNS##*/}
link=p$(printf %s "\${CNI_CONTAINERID}" | md5sum | cut -c 1-10)
case "$CNI_COMMAND" in
  ADD)
    exec 9> "$FAULTS.lock"
    flock 9
    n=$(($(cat "$FAULTS.count" 2> /dev/null || echo 0) + 1))
    echo $n > "$FAULTS.count"
    ip -n "$NODE" link add $link type veth peer name eth0 netns "$pod" || exit 1
    ip -n "$NODE" address add 10.99.$n.1/24 dev $link
    ip -n "$NODE" link set $link up
    ip -n "$pod" link set lo up
    ip -n "$pod" address add 10.99.$n.2/24 dev eth0
    ip -n "$pod" link set eth0 up
    ip -n "$pod" route add default via 10.99.$n.1
    printf '{"cniVersion":"1.1.0","ips":[{"address":"10.99.%s.2/24"}]}' $n ;;
  DEL) ip -n "$NODE" link del $link 2> /dev/null ; exit 0 ;;
esac
`
