/**
 * Runs a program inside a playground's network.
 * @module
 */
import { PlaygroundError } from './errors.ts'
import { switchEnvironment } from './lab/switch.ts'
import { type Layout, nodeLayouts } from './layout.ts'
import { findSandbox, type PlayState } from './state.ts'

/**
 * Runs a program in the network of `namespace/pod`, a node or `outside`, on our terminal. Resolves to its exit code. Throws
 * PLAY_NOT_FOUND, and PLAY_NO_PROGRAM where nothing of that name can be run.
 */
export async function execInside(
  layout: Layout,
  state: PlayState,
  place: string,
  argv: readonly [string, ...string[]],
): Promise<number> {
  const { netns, env } = placeOf(layout, state, place)
  requireProgram(argv[0])
  const child = Bun.spawn(['ip', 'netns', 'exec', netns, ...argv], {
    stdio: ['inherit', 'inherit', 'inherit'],
    env: { ...process.env, ...env },
  })
  // The terminal sends Ctrl-C to both; what it means is the program's business.
  const ignore = (): void => undefined
  process.on('SIGINT', ignore)
  const code = await child.exited
  process.off('SIGINT', ignore)
  return code
}

/** Only the network is another one in there: programs are those of this machine. */
function requireProgram(name: string): void {
  if (Bun.which(name) !== null) return
  const remedy = name.includes('/') ? 'check the path' : 'check the name, or install it'
  throw new PlaygroundError('PLAY_NO_PROGRAM', `there is no program ${name} on this machine`, remedy)
}

function placeOf(
  layout: Layout,
  { shape }: PlayState,
  place: string,
): { readonly netns: string; readonly env: Readonly<Record<string, string>> } {
  const [namespace = '', name] = place.split('/')
  if (name !== undefined) {
    const sandbox = findSandbox(layout, namespace, name)
    if (sandbox !== undefined) return { netns: sandbox.netns, env: {} }
  }
  const node = nodeLayouts(layout, shape.nodes).find((each) => each.name === place)
  if (node !== undefined) return { netns: node.netns, env: switchEnvironment(node) }
  if (place === 'outside') return { netns: layout.outsideNetns, env: {} }
  throw new PlaygroundError(
    'PLAY_NOT_FOUND',
    `there is no ${place}`,
    'name a pod as namespace/name, a node, or outside; `weft play status` lists them',
  )
}
