/**
 * A SpiderMultusConfig, read by all rules that schemas cannot say.
 * @module
 */
import type { KubeObject } from '../../../kube/object.ts'
import type { FieldProblem } from '../../../network/model/problem.ts'
import { annotationOf, at } from '../../fields.ts'
import { Faults, isGiven } from './faults.ts'
import type { MultusConfig } from './multus-config.ts'
import { readCoordinator } from './read-coordinator.ts'
import { BLOCKS, type MadeType, otherBlocks, readInterface, readPools } from './read-interface.ts'
import { readChain, readCustom } from './read-json.ts'
import { CNI_NAME, CNI_VERSION, DEFINITION_NAME, INJECTIONS } from './words.ts'

/** What an object asks for, or what is wrong with it. */
export type Reading =
  | { readonly is: 'read'; readonly config: MultusConfig }
  | { readonly is: 'refused'; readonly problems: readonly FieldProblem[] }

const VERSIONS = ['0.3.0', '0.3.1', '0.4.0', '1.0.0']
const DEFAULT_VERSION = '0.3.1'
const MADE: readonly string[] = ['macvlan', 'ipvlan', 'vlan', 'ovs'] satisfies readonly MadeType[]

/** Types that need devices which nobody hands out here. */
const REFUSED: Readonly<Record<string, string>> = {
  sriov: 'SR-IOV',
  'ib-sriov': 'SR-IOV over InfiniBand',
  ipoib: 'IP over InfiniBand',
}

/** What an object's definition is called. */
export function definitionNameOf(object: KubeObject): string {
  return annotationOf(object, DEFINITION_NAME) ?? object.metadata.name
}

/** Reads an object. Nothing in it throws. */
export function readMultusConfig(object: KubeObject): Reading {
  const faults = new Faults()
  const config = read(object, faults)
  if (config === undefined || faults.found.length > 0) return { is: 'refused', problems: faults.found }
  return { is: 'read', config }
}

function read(object: KubeObject, faults: Faults): MultusConfig | undefined {
  const spec = at(object, 'spec')
  const type = faults.text('spec.cniType', at(spec, 'cniType')) || 'custom'
  const words = readAnnotations(object, faults)
  for (const key of otherBlocks(type, spec)) {
    if (key === 'customCNI' && at(spec, key) === '') continue
    faults.add(`spec.${key}`, `is not for cniType ${shown(type)}`, 'remove it, or change spec.cniType')
  }
  if (type === 'custom') return readCustomConfig(spec, faults)
  const devices = REFUSED[type]
  if (devices !== undefined) {
    const remedy = 'use macvlan, ipvlan, vlan or ovs; for other plugins write cniType custom'
    faults.add('spec.cniType', `asks for ${devices}, which is not attached here`, remedy)
    return undefined
  }
  if (!isMade(type)) {
    faults.add('spec.cniType', 'is none of the types', `give one of ${BLOCKS.map(([one]) => one).join(', ')}`)
    return undefined
  }
  if (!isGiven(spec, type)) {
    faults.add(`spec.${type}`, 'is missing', `say in it what the ${type} interface is on`)
    return undefined
  }
  const hasCoordinator = faults.flag('spec.enableCoordinator', at(spec, 'enableCoordinator'), true)
  const coordinator = readCoordinator(at(spec, 'coordinator'), faults)
  const pools = readPools(type, spec, faults)
  const hasPools = !faults.flag('spec.disableIPAM', at(spec, 'disableIPAM'), false)
  return {
    is: 'list',
    ...words,
    interface: readInterface(type, spec, faults),
    ...(hasPools ? { pools } : {}),
    chain: readChain('spec.chainCNIJsonData', at(spec, 'chainCNIJsonData'), faults),
    ...(hasCoordinator ? { coordinator } : {}),
  }
}

function readCustomConfig(spec: unknown, faults: Faults): MultusConfig {
  if (faults.items('spec.chainCNIJsonData', at(spec, 'chainCNIJsonData')).length > 0) {
    faults.add('spec.chainCNIJsonData', 'is not for cniType custom', 'put its steps into plugins of spec.customCNI')
  }
  return { is: 'custom', config: readCustom('spec.customCNI', at(spec, 'customCNI'), faults) }
}

function readAnnotations(object: KubeObject, faults: Faults): { readonly cniVersion: string; readonly name: string } {
  const field = (key: string): string => `metadata.annotations[${key}]`
  const definition = definitionNameOf(object)
  if (
    definition.length > 253 ||
    !/^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/.test(definition)
  ) {
    faults.add(field(DEFINITION_NAME), 'cannot be the name of an object', 'use lower-case letters, digits, - and .')
  }
  const cniVersion = annotationOf(object, CNI_VERSION) ?? DEFAULT_VERSION
  if (!VERSIONS.includes(cniVersion)) {
    faults.add(field(CNI_VERSION), 'is no version that networks are written in', `give one of ${VERSIONS.join(', ')}`)
  }
  const name = annotationOf(object, CNI_NAME) || definition
  if (!/^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/.test(name)) {
    faults.add(field(CNI_NAME), 'cannot be the name of a CNI network', 'use letters, digits, _, . and -')
  }
  for (const key of INJECTIONS) {
    if (annotationOf(object, key) === undefined) continue
    const remedy = `name the definition in the pods' annotation k8s.v1.cni.cncf.io/networks instead`
    faults.add(field(key), 'wants pods changed when they are created, which nothing here does', remedy)
  }
  return { cniVersion, name }
}

function isMade(type: string): type is MadeType {
  return MADE.includes(type)
}

function shown(type: string): string {
  return JSON.stringify(type.slice(0, 40))
}
