/**
 * All that a controller does, in the one process of several that leads. What it writes is fenced: not a moment longer
 * than it leads.
 * @module
 */
import { weftBindings } from '../compat/bindings.ts'
import type { RefusedSource } from '../compat/calico/refused/source.ts'
import { ELECTION_LEASE } from '../compat/permissions.ts'
import type { KubeApi } from '../kube/api.ts'
import { fencedApi } from '../kube/election/fenced.ts'
import { lead } from '../kube/election/lead.ts'
import { EventRecorder } from '../kube/events.ts'
import type { OnInvalid, Unreadable } from '../kube/invalid.ts'
import type { Neutron } from '../openstack/neutron/neutron.ts'
import { fenced } from '../registry/fenced.ts'
import type { Registry } from '../registry/registry.ts'
import type { ClusterWish } from '../settings/cluster.ts'
import { poolsToldHere, runBgpStatus } from './bgp-status.ts'
import { runClaims } from './claims/run.ts'
import { type ControllerLog, type RunningController, startController } from './controller.ts'
import { runFirstCluster } from './first-cluster.ts'
import { type ControllerHealth, healthOf } from './health.ts'
import { runHostSubnets } from './host-subnets.ts'
import { kubeEvents } from './kube-events.ts'
import { runNodeReports } from './node-reports.ts'
import { runOpenStack } from './openstack/run.ts'
import { runPolicyStatus } from './policy-status.ts'
import { runRefusedStatus } from './refused-status.ts'
import type { AttachmentPlace } from './spiderpool/options.ts'
import { runSpiderpool } from './spiderpool/run.ts'

/** What a controller runs with. */
export interface ControllerParts {
  readonly registry: Registry
  /** Where shared state is kept in a Kubernetes API server. */
  readonly api?: KubeApi
  /** The Kubernetes API server, also where shared state is kept elsewhere. */
  readonly kubernetes?: KubeApi
  /** Why objects that are there cannot be read, by `<kind>/<name>`. */
  readonly unreadable: Unreadable
  /** Tells of objects that are there and mean nothing, from now on. Returns the undo. */
  onInvalid?(listener: OnInvalid): () => void
  /** Where objects of others are of which something is not done. */
  readonly refused?: readonly RefusedSource[]
  readonly wish: ClusterWish
  /** Networks by name. Absent: as the settings have them where nobody says otherwise. */
  readonly attachments?: AttachmentPlace
  /** A session at the cloud that nodes' ports are made in. Throws `OPENSTACK_CONFIG`; absent: none are made. */
  readonly openStack?: () => Neutron
  readonly log: ControllerLog
  readonly signal: AbortSignal
  /** Who we are among several; absent: there is only one. Needs a Kubernetes API server. */
  readonly identity?: string
}

const DEFAULT_PLACE: AttachmentPlace = { namespace: 'kube-system' }

/** A controller as a daemon. */
export class ControllerDaemon {
  readonly #parts: ControllerParts
  #isLeading = false
  /** Whether the cluster was read in this term. */
  #hasRead = false
  /** Who holds the lease, as far as is known; nobody: empty. */
  #holder = ''

  constructor(parts: ControllerParts) {
    this.#parts = parts
  }

  health(): ControllerHealth {
    if (this.#isLeading) return healthOf({ does: 'lead', hasRead: this.#hasRead })
    return healthOf({ does: 'wait', holder: this.#holder, identity: this.#parts.identity ?? '' })
  }

  /** Runs until the signal aborts. */
  async run(): Promise<void> {
    const { kubernetes: api, identity, log, signal } = this.#parts
    if (api === undefined || identity === undefined) return await this.#work(this.#parts)
    const options = {
      api,
      lease: ELECTION_LEASE,
      identity,
      onLeader: (holder: string) => this.#follow(holder),
      onError: (error: unknown) => log.warn({ err: error }, 'the election does not get through'),
    }
    await lead(
      options,
      async (term) => {
        log.info({ identity, term: term.number }, 'leading')
        try {
          await this.#work(fencedParts(this.#parts, term))
        } finally {
          this.#isLeading = false
          if (!signal.aborted) log.warn({ identity }, 'not leading any more: nothing is written')
        }
      },
      signal,
    )
  }

  #follow(holder: string): void {
    this.#holder = holder
    if (holder === '' || holder === this.#parts.identity) return
    this.#parts.log.info({ holder }, 'another one leads')
  }

  async #work(parts: ControllerParts): Promise<void> {
    const { registry, api, kubernetes, signal, log, unreadable } = parts
    this.#isLeading = true
    this.#hasRead = false
    const recorder = kubernetes && new EventRecorder(kubernetes, { component: 'weft-controller' })
    const events = kubernetes && recorder && kubeEvents(kubernetes, weftBindings, recorder)
    using told = new DisposableStack()
    if (events !== undefined && parts.onInvalid !== undefined) told.defer(parts.onInvalid(events.invalid))
    const onReady = (): void => {
      this.#hasRead = true
    }
    const options = { registry, signal, random: Math.random, log, unreadable, onReady }
    const { networks, cluster, nodes, done } = startController(events === undefined ? options : { ...options, events })
    // The view of others' words goes where others look; what agents say is where they may write.
    const beside = api === undefined ? [] : besides(parts, api, networks, recorder)
    const policies = kubernetes && recorder && runPolicyStatus({ api: kubernetes, events: recorder, signal, log })
    const refused = runRefusedStatus({
      sources: parts.refused ?? [],
      ...(recorder === undefined ? {} : { events: recorder }),
      // Without events nobody else tells of anything.
      ...(events === undefined ? {} : { elsewhere: poolsToldHere({ cluster }) }),
      signal,
      log,
    })
    const claims = kubernetes && recorder && runClaims({ api: kubernetes, events: recorder, signal, log })
    const bgp = events && runBgpStatus({ registry, cluster, networks, nodes, events, signal, log })
    const { attachments = DEFAULT_PLACE } = parts
    const common = { cluster, attachments, signal, log }
    const spiderpool = kubernetes && recorder && runSpiderpool({ api: kubernetes, events: recorder, ...common })
    const { openStack: open } = parts
    const ports =
      open &&
      runOpenStack({ registry, nodes, open, unreadable, ...(events === undefined ? {} : { events }), signal, log })
    await Promise.all([done, policies, refused, claims, bgp, spiderpool, ports, ...beside])
  }
}

function besides(
  { registry, signal, log, wish }: ControllerParts,
  api: KubeApi,
  networks: RunningController['networks'],
  events: EventRecorder | undefined,
): readonly Promise<void>[] {
  const parts = { api, registry, networks, signal, log }
  const first = { ...parts, wish, ...(events === undefined ? {} : { events }) }
  return [runHostSubnets(parts), runNodeReports(parts), runFirstCluster(first)]
}

/** The same parts for the time of one term. */
function fencedParts(parts: ControllerParts, term: Parameters<Parameters<typeof lead>[1]>[0]): ControllerParts {
  const { registry, api, kubernetes, signal } = parts
  return {
    ...parts,
    registry: fenced(registry, term),
    ...(api === undefined ? {} : { api: fencedApi(api, term) }),
    ...(kubernetes === undefined ? {} : { kubernetes: fencedApi(kubernetes, term) }),
    signal: AbortSignal.any([signal, term.signal]),
  }
}
