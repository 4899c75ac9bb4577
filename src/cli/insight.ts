/**
 * What the commands share that look at a running network.
 * @module
 */
import type { Command } from 'commander'
import { InsightError } from '../insight/errors.ts'
import { type Gathered, gather } from '../insight/gather/gather.ts'
import { agentSockets, type Where } from '../insight/gather/sockets.ts'
import { placeInEnvironment, type RegistryPlace } from '../place/place.ts'
import { withTypedCommands } from '../playground/self.ts'
import { type PlaceOptions, placeNamed, withPlaceOptions } from './address.ts'

/** Options of every command that looks at a running network. */
export interface InsightOptions extends PlaceOptions {
  readonly runDir?: string
  readonly json?: boolean
}

/** Adds the shared options. */
export function withInsightOptions(command: Command): Command {
  const folder = 'an agent’s folder or a playground’s (default: this node’s, else the playground’s)'
  const whose = command.option('--run-dir <folder>', folder).option('--json', 'print JSON')
  return withPlaceOptions(whose, 'what that folder says, if anything')
}

/** Asks the agents and the registry that the options mean. Throws as {@link whereToLook} and {@link gather} do. */
export async function lookAt(options: InsightOptions): Promise<Gathered> {
  return gather(whereToLook(options))
}

/**
 * The agents and the registry that the options mean; in a pod, the agent's own for example, the registry that its account
 * reaches. Throws CLI_USAGE and `INSIGHT_AGENT_NOT_RUNNING`.
 */
export function whereToLook(options: InsightOptions): Where {
  const where = agentSockets(options.runDir, placeNamed(options))
  return { ...where, registry: where.registry ?? podPlace() }
}

/** The registry that a pod's account reaches; undefined outside pods. */
export function podPlace(): RegistryPlace | undefined {
  const isPod = (process.env['KUBERNETES_SERVICE_HOST'] ?? '') !== ''
  return isPod ? placeInEnvironment() : undefined
}

/** Rewrites commands in advice as they have to be typed to ask the same agents. */
export function asTypedFor({ runDir }: InsightOptions): (text: string) => string {
  return (text) => withTypedCommands(text, runDir)
}

/** The same with one node only. Throws `INSIGHT_NAME_UNKNOWN`. */
export function onlyNode(gathered: Gathered, node: string | undefined): Gathered {
  if (node === undefined) return gathered
  const { view, agents } = gathered
  const nodes = view.nodes.filter(({ status }) => status.node === node)
  if (nodes.length > 0) return { view: { ...view, nodes, silent: [] }, agents }
  const known = view.nodes.map(({ status }) => status.node).join(', ')
  throw new InsightError('INSIGHT_NAME_UNKNOWN', `no agent of a node ${node} answers`, `there are: ${known}`)
}

/** Prints lines. */
export function printLines(lines: readonly string[]): void {
  process.stdout.write(`${lines.join('\n')}\n`)
}

/** Prints a value as one line of JSON, for other programs: bigints are plain numbers there. */
export function printJson(value: unknown): void {
  process.stdout.write(`${plainJson(value)}\n`)
}

/** A value as JSON in which bigints are numbers, with all their digits. */
function plainJson(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) => (typeof item === 'bigint' ? rawJson(String(item)) : item))
}

/** Text that stands as it is in JSON (ECMAScript's JSON.rawJSON, which TypeScript's library does not list yet). */
function rawJson(text: string): unknown {
  return (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(text)
}
