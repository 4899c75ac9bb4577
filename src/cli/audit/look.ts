/**
 * One look of an audit: at the nodes of this machine, and at the systems beyond them that the options name.
 * @module
 */
import { audit } from '../../insight/audit/audit.ts'
import { InsightError } from '../../insight/errors.ts'
import { type Gathered, gather } from '../../insight/gather/gather.ts'
import type { Where } from '../../insight/gather/sockets.ts'
import { openPlace } from '../../place/place.ts'
import { placeNamed } from '../address.ts'
import { type InsightOptions, podPlace, whereToLook } from '../insight.ts'
import { cloudOpener } from '../openstack.ts'
import { NOT_LOOKED, type OutsideLook, together } from './outside.ts'
import { lookAtPorts } from './ports.ts'
import { lookAtOvn } from './rows.ts'

/** What an audit is told. */
export interface AuditOptions extends InsightOptions {
  readonly openstackCloud?: string
  readonly openstackCloudsFile?: string
}

/** What one look found. */
export interface AuditLook extends OutsideLook {
  readonly gathered: Gathered
}

const NOBODY: Gathered = { view: { nodes: [], silent: [], registry: undefined }, agents: new Map() }

const NO_PLACE =
  'Neutron was not looked at: nothing says where the cluster’s objects are, which name its ports → --kubeconfig FILE'

/** Looks once. Throws as `whereToLook` and `gather` do; where options name a system beyond the nodes, it does without agents. */
export async function lookOnce(options: AuditOptions): Promise<AuditLook> {
  const where = placesOf(options)
  const isAlone = 'why' in where
  const gathered = isAlone ? NOBODY : await gather(where)
  const outside = await lookOutside(where.registry, options, gathered)
  const notes = isAlone ? [`No node was compared: ${where.why}`] : []
  return { ...together([{ ...NOT_LOOKED, findings: audit(gathered.view), notes }, outside]), gathered }
}

interface Alone extends Pick<Where, 'registry'> {
  readonly why: string
}

function placesOf(options: AuditOptions): Where | Alone {
  try {
    return whereToLook(options)
  } catch (error) {
    const isBeyond = isCloudNamed(options) || options.ovnNb !== undefined
    const isNobody = error instanceof InsightError && error.code === 'INSIGHT_AGENT_NOT_RUNNING'
    if (!isNobody || !isBeyond || options.runDir !== undefined) throw error
    const registry = placeNamed(options) ?? podPlace()
    if (registry !== undefined) return { registry, why: error.message }
    const cause = 'nothing says where the cluster’s objects are'
    throw new InsightError('INSIGHT_REGISTRY_UNREACHABLE', cause, 'name the cluster: --kubeconfig FILE')
  }
}

async function lookOutside(place: Where['registry'], options: AuditOptions, { view }: Gathered): Promise<OutsideLook> {
  const isNamed = isCloudNamed(options)
  if (place === undefined) return isNamed ? { ...NOT_LOOKED, notes: [NO_PLACE] } : NOT_LOOKED
  // That the registry does not answer is told already.
  if (view.registryProblem !== undefined && !isNamed) return NOT_LOOKED
  const { openstackCloud: cloud, openstackCloudsFile: file } = options
  const warnings: string[] = []
  const log = { warn: (_: object, message: string) => void warnings.push(message) }
  const { registry, close } = openPlace(place)
  try {
    const ports = await lookAtPorts({
      registry,
      open: cloudOpener({ cloud, file, log }),
      isNamed,
      isGiven: isNamed || ['OS_CLOUD', 'OS_AUTH_URL'].some((name) => (process.env[name] ?? '') !== ''),
    })
    const rows = place.kind === 'ovn' ? await lookAtOvn(place.ovn, registry) : NOT_LOOKED
    return together([ports, rows, { ...NOT_LOOKED, notes: warnings }])
  } finally {
    close()
  }
}

function isCloudNamed({ openstackCloud, openstackCloudsFile }: AuditOptions): boolean {
  return openstackCloud !== undefined || openstackCloudsFile !== undefined
}
