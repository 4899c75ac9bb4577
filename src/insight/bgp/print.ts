/**
 * A plan of reflectors, for people: what is, what could be, and what to type for it.
 * @module
 */
import type { ReflectorPlan, SessionCount } from '../../network/fabric/bgp/reflectors.ts'
import { problemLine } from '../../network/model/problem.ts'
import type { Look } from '../../text/look.ts'
import { type Column, table } from '../../text/table.ts'
import { count, grouped, marked, wrap } from '../../text/words.ts'
import type { BgpView } from './gather.ts'

const LABEL = 'route-reflector'
const COLUMNS: readonly Column[] = [{ head: 'NODE' }, { head: 'ZONE' }, { head: 'CLUSTER ID' }]

/** The programs that a plan's commands begin with: with what leads them to the cluster that was asked about. */
export interface PlanPrograms {
  readonly kubectl: string
  /** `weft fabric show`. */
  readonly fabric: string
}

const USUAL: PlanPrograms = { kubectl: 'kubectl', fabric: 'weft fabric show' }

/** The lines of `weft bgp plan`. */
export function printReflectorPlan(plan: ReflectorPlan, view: BgpView, look: Look, programs = USUAL): string[] {
  const { proposal } = plan
  const notes = [
    ...(view.way === 'bgp' ? [] : [`the cluster's fabric is ${view.way}: nobody speaks BGP now`]),
    ...view.problems.map(problemLine),
  ]
  return [
    ...wrap(present(plan, look), look.width),
    ...notes.flatMap((note) => marked(note, look)),
    '',
    ...(proposal === undefined ? [look.good(fine(plan))] : proposed(proposal, look, programs)),
  ]
}

/** The commands of a plan, in their order, each a line. */
export function reflectorSteps(
  { proposal }: Pick<ReflectorPlan, 'proposal'>,
  { kubectl, fabric }: PlanPrograms = USUAL,
): readonly string[] {
  if (proposal === undefined) return []
  const { reflectors } = proposal
  return [
    manifest(kubectl, 'BGPPeer', 'reflectors', `{"peerSelector":"has(${LABEL})"}`),
    ...reflectors.flatMap(({ node, clusterId }) => [
      `${kubectl} label node ${node} ${LABEL}=yes`,
      `${kubectl} annotate node ${node} projectcalico.org/RouteReflectorClusterID=${clusterId}`,
    ]),
    fabric,
    manifest(kubectl, 'BGPConfiguration', 'default', '{"nodeToNodeMeshEnabled":false}'),
  ]
}

function manifest(kubectl: string, kind: string, name: string, spec: string): string {
  const object = `{"apiVersion":"crd.projectcalico.org/v1","kind":"${kind}","metadata":{"name":"${name}"},"spec":${spec}}`
  return `echo '${object.replaceAll("'", "'\\''")}' | ${kubectl} apply -f -`
}

function present({ nodes, isMeshed, reflectors, now }: ReflectorPlan, look: Look): string {
  const how = isMeshed ? 'every two that reflect nothing have a session' : 'there is no mesh'
  const by = reflectors.length === 0 ? 'no reflectors' : `${reflectors.length} reflecting: ${reflectors.join(', ')}`
  return `${count(nodes, 'node', look)}, ${how}, ${by}; ${sessions(now, look)}`
}

function sessions({ all, most }: SessionCount, look: Look): string {
  return `${count(all, 'session', look)}, at most ${grouped(most, look)} on a node`
}

function fine({ isMeshed }: ReflectorPlan): string {
  return isMeshed
    ? 'Nothing to do: a mesh of this size is fine.'
    : 'Nothing to do: reflectors and peers tell the routes.'
}

function proposed(proposal: NonNullable<ReflectorPlan['proposal']>, look: Look, programs: PlanPrograms): string[] {
  const rows = proposal.reflectors.map(({ node, zone, clusterId }) => [node, zone ?? '-', clusterId])
  return [
    ...wrap(
      `${count(rows.length, 'reflector', look)} would leave ${sessions(proposal.after, look)}, which are the reflectors; the others have ${rows.length} for each family:`,
      look.width,
    ),
    ...table(COLUMNS, rows, look),
    '',
    ...wrap(
      `Nothing was changed. In this order no route is lost; go on after ${programs.fabric} when every session is up:`,
      look.width,
    ),
    ...reflectorSteps({ proposal }, programs).map((step) => `  ${step}`),
  ]
}
