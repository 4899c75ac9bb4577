/**
 * Pods' sandboxes as the container runtime has them: what is left to look at when the API is away.
 * @module
 */
import { netnsOpen } from '../../src/linux/netns.ts'
import { type Outcome, run } from '../lab/command.ts'
import type { NodePlace, Places } from './places.ts'
import { ctr } from './runtime.ts'

/** Which pod, and where it runs. */
export interface PodPlace {
  readonly node: NodePlace
  readonly namespace: string
  readonly name: string
}

/** The first process of a pod's sandbox; undefined when none runs. */
export async function sandboxPid(places: Places, { node, namespace, name }: PodPlace): Promise<number | undefined> {
  const labels = {
    'io.kubernetes.pod.name': name,
    'io.kubernetes.pod.namespace': namespace,
    'io.cri-containerd.kind': 'sandbox',
  }
  const filter = Object.entries(labels).map(([label, value]) => `labels."${label}"==${value}`)
  const [found, tasks] = await Promise.all([
    ctr(places, node, '-n', 'k8s.io', 'containers', 'list', '--quiet', filter.join(',')),
    ctr(places, node, '-n', 'k8s.io', 'tasks', 'list'),
  ])
  const ids = new Set(found.stdout.split('\n').filter((id) => id !== ''))
  for (const line of tasks.stdout.split('\n')) {
    const [id = '', pid, state] = line.split(/\s+/)
    if (ids.has(id) && state === 'RUNNING') return Number(pid)
  }
  return undefined
}

/** A descriptor of a pod's network namespace; the caller closes it. Throws when no sandbox runs. */
export async function podNetns(places: Places, place: PodPlace): Promise<number> {
  return netnsOpen(`/proc/${await pidOrThrow(places, place)}/ns/net`)
}

/** Runs a program of the machine in a pod's network. Throws when no sandbox runs. */
export async function inPod(places: Places, place: PodPlace, argv: readonly string[]): Promise<Outcome> {
  return run(['nsenter', `--target=${await pidOrThrow(places, place)}`, '--net', '--', ...argv])
}

/** A pod's IPv4 address, as its own interface has it; undefined when it has none. */
export async function addressInPod(places: Places, place: PodPlace): Promise<string | undefined> {
  if ((await sandboxPid(places, place)) === undefined) return undefined
  const { stdout } = await inPod(places, place, ['ip', '-o', '-4', 'address', 'show', 'dev', 'eth0'])
  return / inet ([\d.]+)\//.exec(stdout)?.[1]
}

async function pidOrThrow(places: Places, place: PodPlace): Promise<number> {
  const pid = await sandboxPid(places, place)
  if (pid === undefined) throw new Error(`${place.namespace}/${place.name} does not run on ${place.node.name}`)
  return pid
}
