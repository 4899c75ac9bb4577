/**
 * The playground as a picture for a terminal: the physical network, nodes, pods, tenants. Pure.
 * @module
 */
import type { Ip } from '../network/model/address.ts'
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
    const bodies = nodes.map((node) => nodeLines(node, { scene, colourOf, paint, width: boxWidth - 4 }))
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

interface Brush {
  readonly scene: Scene
  readonly colourOf: (namespace: string) => (text: string) => string
  readonly paint: Paint
  /** Columns inside a box. */
  readonly width: number
}

function nodeLines(node: NodeNetwork, brush: Brush): readonly string[] {
  const { scene, paint, width } = brush
  const pods = scene.pods.filter((pod) => pod.node === node.node)
  const lines = [...wrap(node.addresses, width), ...wrap(['pods', ...node.ranges], width, '     '), '']
  const none = pods.length === 0 ? ['no pods'] : []
  return [...[...lines, ...none].map((line) => paint.dim(line)), ...pods.flatMap((pod) => podLines(pod, brush))]
}

function podLines(pod: Pod, { colourOf, paint, width }: Brush): readonly string[] {
  const [four, six] = [addressOf(pod.addresses, 4), addressOf(pod.addresses, 6)]
  const [first = '', ...rest] = wrap([`■ ${podKey(pod)}`, ...(four === undefined ? [] : [four])], width, '  ')
  const more = [...rest, ...(six === undefined ? [] : [`  ${six}`])]
  const name = `■ ${podKey(pod)}`
  return [colourOf(pod.namespace)(name) + first.slice(name.length), ...more.map((line) => paint.dim(line))]
}

/** Words in lines of at most this width; further lines are indented. A longer word has a line of its own. */
function wrap(words: readonly string[], width: number, indent = ''): readonly string[] {
  const lines: string[] = []
  for (const word of words) {
    const last = lines.at(-1)
    if (last !== undefined && widthOf(last) + 1 + widthOf(word) <= width) lines[lines.length - 1] = `${last} ${word}`
    else lines.push(lines.length === 0 ? word : indent + word)
  }
  return lines
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
