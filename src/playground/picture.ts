/**
 * The playground as a picture for a terminal: the physical network, nodes, pods, tenants. Pure.
 * @module
 */
import type { Family, Ip } from '../network/model/address.ts'
import type { NodeNetwork } from '../network/model/node.ts'
import type { Pod } from '../network/model/pod.ts'
import { GLOBAL_VNI } from '../network/model/tenant.ts'
import { addressOf, podKey, vniOf, type World } from './expect.ts'
import { beside, box, fit, type Paint, widthOf } from './text.ts'

/** What is drawn besides the model. */
export interface Scene extends World {
  readonly nodes: readonly NodeNetwork[]
  readonly outside: readonly Ip[]
}

/** Widest picture, in columns. */
export const MAX_WIDTH = 100
const MIN_BOX = 30
const MAX_BOX = 40

/** The picture's lines. */
export function drawPicture(scene: Scene, paint: Paint, width = MAX_WIDTH): readonly string[] {
  const perRow = Math.max(1, Math.min(scene.nodes.length, Math.floor((width + 2) / (MIN_BOX + 2))))
  const boxWidth = Math.min(MAX_BOX, Math.floor((width + 2) / perRow) - 2)
  const total = perRow * (boxWidth + 2) - 2
  const colourOf = tenantColours(scene, paint)
  const rows = chunk(scene.nodes, perRow).map((nodes) => {
    const bodies = nodes.map((node) => nodeLines(node, scene, colourOf, paint))
    const height = Math.max(...bodies.map((lines) => lines.length))
    const boxes = nodes.map((node, i) => box(paint.bold(node.node), bodies[i] ?? [], boxWidth, height))
    const stems = nodes
      .map(() => fit(`${' '.repeat(4)}│`, boxWidth))
      .join('  ')
      .trimEnd()
    return [stems, ...beside(boxes, '  ')]
  })
  return [
    `${paint.bold('outside')} ${scene.outside.join(' ')}`,
    '    │',
    wire(scene, total, paint),
    ...rows.flat(),
    ...legend(scene, colourOf, paint),
  ]
}

/** A colour per namespace, for as many as there are colours. */
export function tenantColours({ tenants }: World, paint: Paint): (namespace: string) => (text: string) => string {
  const palette = [paint.green, paint.magenta, paint.yellow, paint.cyan, paint.blue, paint.red]
  const isolated = tenants.filter(({ vni }) => vni !== GLOBAL_VNI).map(({ vni }) => vni)
  const order = [...new Set(isolated)].sort((a, b) => a - b)
  return (namespace) => {
    const vni = tenants.find((tenant) => tenant.namespace === namespace)?.vni
    if (vni === undefined || vni === GLOBAL_VNI) return paint.bold
    return palette[order.indexOf(vni) % palette.length] ?? paint.bold
  }
}

function nodeLines(
  node: NodeNetwork,
  scene: Scene,
  colourOf: (namespace: string) => (text: string) => string,
  paint: Paint,
): readonly string[] {
  const pods = scene.pods.filter((pod) => pod.node === node.node)
  return [
    paint.dim(node.addresses.join('  ')),
    paint.dim(`pods ${node.ranges.join(' ')}`),
    '',
    ...pods.flatMap((pod) => podLines(pod, colourOf(pod.namespace), paint)),
    ...(pods.length === 0 ? [paint.dim('no pods')] : []),
  ]
}

function podLines(pod: Pod, colour: (text: string) => string, paint: Paint): readonly string[] {
  const line = (family: Family): string => addressOf(pod.addresses, family) ?? ''
  const six = line(6)
  return [`${colour(`■ ${podKey(pod)}`)} ${line(4)}`, ...(six === '' ? [] : [paint.dim(`  ${six}`)])]
}

function wire({ cluster }: Scene, width: number, paint: Paint): string {
  const { encapsulation } = cluster
  const port = encapsulation.type === 'gre' ? '' : ` port ${encapsulation.port}`
  const label = ` physical network · ${encapsulation.type}${port} over IPv${cluster.underlay} `
  const rest = Math.max(0, width - widthOf(label) - 4)
  return paint.dim(`════${label}${'═'.repeat(rest)}`)
}

function legend(
  scene: Scene,
  colourOf: (namespace: string) => (text: string) => string,
  paint: Paint,
): readonly string[] {
  const names = [...new Set(scene.pods.map(({ namespace }) => namespace))]
  const entries = names.map((namespace) => {
    const vni = vniOf(scene, namespace)
    const what = vni === undefined ? 'no VNI yet' : vni === GLOBAL_VNI ? 'VNI 0, global: all reach it' : `VNI ${vni}`
    return `${colourOf(namespace)(`■ ${namespace}`)} ${paint.dim(what)}`
  })
  return ['', `tenants: ${entries.join('   ')}`]
}

function chunk<T>(items: readonly T[], size: number): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, i) => items.slice(i * size, (i + 1) * size))
}
