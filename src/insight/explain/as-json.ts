/**
 * An explanation for programs. Its shape is part of the command's interface: fields are added, none changes its meaning.
 * @module
 */
import type { Step } from './conversation.ts'
import type { End } from './ends.ts'
import type { ExplainedWay, Explanation } from './explain.ts'
import { answerOf } from './sentence.ts'
import { homeOf } from './way-steps.ts'

/** The same facts as the printed lines. */
export function explanationAsJson(explanation: Explanation): object {
  const { from, service, protocol, port, family, ways, reachable } = explanation
  const { says, remedy } = answerOf(explanation)
  const opinions = ways.map(({ flows }) => flows.agrees)
  return {
    reachable,
    /** null: the flows could not be asked to the end. */
    flowsAgree: opinions.includes(false) ? false : opinions.includes(undefined) ? null : true,
    says,
    remedy: remedy ?? null,
    from: endAsJson(from),
    service: service ?? null,
    protocol,
    port,
    family,
    ways: ways.map(wayAsJson),
  }
}

function wayAsJson({ to, port, allowed, decider, steps, flows }: ExplainedWay): object {
  return {
    to: { ...endAsJson(to), port },
    reachable: allowed,
    decidedBy: decider?.name ?? null,
    steps: steps.map(stepAsJson),
    flows: { agrees: flows.agrees ?? null, says: flows.says, remedy: flows.remedy ?? null },
  }
}

function stepAsJson({ name, outcome, says, remedy, policy, field }: Step): object {
  const ref =
    policy === undefined ? null : { kind: policy.kind, namespace: policy.namespace ?? null, name: policy.name }
  return { step: name, outcome, says, remedy: remedy ?? null, policy: ref, field: field ?? null }
}

function endAsJson(end: End): object {
  const placed = end.kind === 'pod' || end.kind === 'node' || end.kind === 'host'
  return { kind: end.kind, name: end.name, address: end.address, node: placed ? homeOf(end) : null }
}
