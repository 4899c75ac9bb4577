/**
 * The answer in one sentence that names the object, the rule and the field that decides.
 * @module
 */
import { backendText } from '../trace/service.ts'
import { type Conversation, verbOf } from './conversation.ts'
import type { ExplainedWay, Explanation } from './explain.ts'

/** An answer in words, and what to do where there is something to do. */
export interface Answer {
  readonly says: string
  readonly remedy: string | undefined
}

/** The answer. Flows that say otherwise are told beside it. */
export function answerOf(explanation: Explanation): Answer {
  const { from, service, ways, protocol, port } = explanation
  const [only, ...more] = ways
  const verb = verbOf({ protocol, port } as Pick<Conversation, 'protocol' | 'port'>)
  const to = service === undefined ? only?.to.name : `service ${service.name}`
  const head = (can: string): string => `${from.name} ${can} ${verb} ${to}`
  const refused = ways.filter(({ allowed }) => !allowed)
  const way = tellingWay(explanation)
  if (way === undefined) return { says: `${head('cannot')}: it leads nowhere.`, remedy: undefined }
  const where = more.length === 0 ? ':' : `; of ${endName(way)}:`
  if (refused.length === 0) {
    const each = more.length === 0 ? '' : `, whichever of its ${ways.length} endpoints answers`
    return { says: `${head('can')}${each}${where} ${whyAllowed(explanation, way)}.`, remedy: undefined }
  }
  const { decider } = way
  const remedy = decider?.remedy
  const tail = `${where} ${decider?.says ?? 'it is stopped'}.`
  if (more.length === 0) return { says: `${head('cannot')}${tail}`, remedy }
  const some =
    refused.length === ways.length
      ? `${head('cannot')} by any of its ${ways.length} endpoints`
      : `${head('can')} only when it is led to ${ways.length - refused.length} of its ${ways.length} endpoints`
  return { says: `${some}${tail}`, remedy }
}

/** The way that says most: one that is refused, else one that does not lead back to the sender. */
export function tellingWay({ ways, from }: Explanation): ExplainedWay | undefined {
  return ways.find(({ allowed }) => !allowed) ?? ways.find(({ to }) => to.address !== from.address) ?? ways[0]
}

/** `10.128.0.3:8080 (shop/api)`. */
export function endName({ to, backend }: ExplainedWay): string {
  if (backend === undefined) return to.name
  return to.name === to.address ? backendText(backend) : `${backendText(backend)} (${to.name})`
}

function whyAllowed({ from }: Explanation, { steps, to }: ExplainedWay): string {
  const deciding = steps.filter(({ decisive }) => decisive)
  const [one, two] = deciding
  const alone = new Set(deciding.map(({ says }) => says)).size === 1
  if (one !== undefined && (two === undefined || alone)) return one.says
  if (one !== undefined && two !== undefined) {
    return deciding
      .map(({ name, says }) => `${says} at ${name === 'ingress policies' ? to.name : from.name}`)
      .join(', and ')
  }
  const tenant = steps.find(({ name }) => name === 'tenant')?.says
  const way = steps.find(({ name }) => name === 'route')?.says
  return `no policy decides about it; ${to.kind === 'pod' || to.kind === 'host' ? tenant : way}`
}
