/**
 * The playground as a picture for a terminal: the physical network, nodes, pods, tenants. Pure.
 * @module
 */
import { wantedWords } from '../network/fabric/words.ts'
import type { Ip } from '../network/model/address.ts'
import type { NodeNetwork } from '../network/model/node.ts'
import type { Pod } from '../network/model/pod.ts'
import { GLOBAL_VNI } from '../network/model/tenant.ts'
import { beside, box } from '../text/box.ts'
import type { Look } from '../text/look.ts'
import { fit, widthOf } from '../text/width.ts'
import { wrapWords } from '../text/words.ts'
import { addressOf, podKey, vniOf, type World } from './expect.ts'

/** What is drawn besides the model. */
export interface Scene extends World {
  readonly nodes: readonly NodeNetwork[]
  readonly outside: readonly Ip[]
}

const MIN_BOX = 30
const MAX_BOX = 40

/** The picture's lines. */
export function drawPicture(scene: Scene, look: Look): readonly string[] {
  const { width } = look
  const perRow = Math.max(1, Math.min(scene.nodes.length, Math.floor((width + 2) / (MIN_BOX + 2))))
  const boxWidth = Math.min(MAX_BOX, Math.floor((width + 2) / perRow) - 2)
  const total = perRow * (boxWidth + 2) - 2
  const colourOf = tenantColours(scene, look)
  const rows = chunk(scene.nodes, perRow).map((nodes) => {
    const bodies = nodes.map((node) => nodeLines(node, { scene, colourOf, look, width: boxWidth - 4 }))
    const height = Math.max(...bodies.map((lines) => lines.length))
    const boxes = nodes.map((node, i) => box(look.title(node.node), bodies[i] ?? [], boxWidth, height))
    const stems = nodes
      .map(() => fit(`${' '.repeat(4)}│`, boxWidth))
      .join('  ')
      .trimEnd()
    return [stems, ...beside(boxes, '  ')]
  })
  return [
    `${look.title('outside')} ${scene.outside.join(' ')}`,
    '    │',
    wire(scene, total, look),
    ...rows.flat(),
    ...legend(scene, colourOf, look),
  ]
}

/** A colour per namespace, for as many as there are colours. */
function tenantColours({ tenants }: World, look: Look): (namespace: string) => (text: string) => string {
  const palette = look.hues
  const isolated = tenants.filter(({ vni }) => vni !== GLOBAL_VNI).map(({ vni }) => vni)
  const order = [...new Set(isolated)].sort((a, b) => a - b)
  return (namespace) => {
    const vni = tenants.find((tenant) => tenant.namespace === namespace)?.vni
    if (vni === undefined || vni === GLOBAL_VNI) return look.title
    return palette[order.indexOf(vni) % palette.length] ?? look.title
  }
}

interface Brush {
  readonly scene: Scene
  readonly colourOf: (namespace: string) => (text: string) => string
  readonly look: Look
  /** Columns inside a box. */
  readonly width: number
}

function nodeLines(node: NodeNetwork, brush: Brush): readonly string[] {
  const { scene, look, width } = brush
  const pods = scene.pods.filter((pod) => pod.node === node.node)
  const lines = [...wrapWords(node.addresses, width), ...wrapWords(['pods', ...node.ranges], width, '     '), '']
  const none = pods.length === 0 ? ['no pods'] : []
  return [...[...lines, ...none].map((line) => look.quiet(line)), ...pods.flatMap((pod) => podLines(pod, brush))]
}

function podLines(pod: Pod, { colourOf, look, width }: Brush): readonly string[] {
  const [four, six] = [addressOf(pod.addresses, 4), addressOf(pod.addresses, 6)]
  const [first = '', ...rest] = wrapWords([`■ ${podKey(pod)}`, ...(four === undefined ? [] : [four])], width, '  ')
  const more = [...rest, ...(six === undefined ? [] : [`  ${six}`])]
  const name = `■ ${podKey(pod)}`
  return [colourOf(pod.namespace)(name) + first.slice(name.length), ...more.map((line) => look.quiet(line))]
}

function wire({ cluster }: Scene, width: number, look: Look): string {
  const { encapsulation, underlay } = cluster
  const port = encapsulation.type === 'gre' ? '' : ` port ${encapsulation.port}`
  const [label = ''] = [port, '']
    .map((told) => wantedWords(cluster, `${encapsulation.type}${told} over IPv${underlay}`))
    .map((fabric) => ` physical network · ${fabric} `)
    .filter((one, i) => i > 0 || widthOf(one) + 4 <= look.width)
  const rest = Math.max(0, width - widthOf(label) - 4)
  return look.quiet(`════${label}${'═'.repeat(rest)}`)
}

function legend(
  scene: Scene,
  colourOf: (namespace: string) => (text: string) => string,
  look: Look,
): readonly string[] {
  const names = [...new Set(scene.pods.map(({ namespace }) => namespace))]
  const entries = names.map((namespace) => {
    const vni = vniOf(scene, namespace)
    const what = vni === undefined ? 'no VNI yet' : vni === GLOBAL_VNI ? 'VNI 0, global: all reach it' : `VNI ${vni}`
    return `${colourOf(namespace)(`■ ${namespace}`)} ${look.quiet(what)}`
  })
  const [first = 'none', ...rest] = entries
  return ['', ...wrapWords([`tenants: ${first}`, ...rest], look.width, ' '.repeat(9), '   ')]
}

function chunk<T>(items: readonly T[], size: number): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, i) => items.slice(i * size, (i + 1) * size))
}
