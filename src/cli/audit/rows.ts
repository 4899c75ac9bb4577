/**
 * Lists rows of OVN's northbound database and has them compared. Nothing is written anywhere.
 * @module
 */
import type { Finding } from '../../insight/audit/findings.ts'
import { connectNorthbound } from '../../ovn/connect.ts'
import { OvnError } from '../../ovn/errors.ts'
import { auditRows, lookAtRows, type RowsLook } from '../../ovn/rows/audit.ts'
import { isOvsdbError } from '../../ovs/ovsdb/index.ts'
import type { OvnPlace } from '../../place/ovn.ts'
import { type Registry, RegistryError } from '../../registry/registry.ts'
import { NOT_LOOKED, type OutsideLook, sentenceOf } from './outside.ts'

/** Compares this cluster's rows. `registry` knows the Nodes; where it does not say, rows of Nodes that are gone are not found. */
export async function lookAtOvn(place: OvnPlace, registry: Registry): Promise<OutsideLook> {
  let look: RowsLook
  try {
    look = await rowsAt(place)
  } catch (error) {
    if (!(error instanceof OvnError) && !isOvsdbError(error)) throw error
    const finding = {
      code: 'ovn-silent',
      node: '-',
      object: 'OVN',
      detail: sentenceOf(error),
      step: undefined,
    } as const
    return { ...NOT_LOOKED, findings: [finding] }
  }
  const nodes = await namesOfNodes(registry)
  const names = typeof nodes === 'string' ? undefined : nodes
  return {
    findings: auditRows(look, names).map((one): Finding => ({ ...one, node: '-', step: undefined })),
    compared: [[look.objects.length + look.ports.length + look.routerPorts.length, 'OVN row']],
    notes: typeof nodes === 'string' ? [`Rows in OVN were not compared with the Nodes: ${nodes}`] : [],
  }
}

async function rowsAt(place: OvnPlace): Promise<RowsLook> {
  const nbd = await connectNorthbound(place)
  try {
    return await lookAtRows(nbd)
  } finally {
    nbd.close()
  }
}

async function namesOfNodes(registry: Registry): Promise<ReadonlySet<string> | string> {
  try {
    return new Set((await registry.list('Node')).objects.map(({ name }) => name))
  } catch (error) {
    if (error instanceof RegistryError) return sentenceOf(error)
    throw error
  }
}
