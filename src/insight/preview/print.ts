/**
 * A preview for people and for programs.
 * @module
 */
import { type PolicyRef, policyKey } from '../../network/model/policy.ts'
import { policyTitle } from '../../network/policy/rule-names.ts'
import type { Decision, RuleRef } from '../../network/policy/verdict.ts'
import type { Look } from '../../text/look.ts'
import { count, printable, wrapWords } from '../../text/words.ts'
import type { Side } from './compare.ts'
import type { Line } from './lines.ts'
import type { Warning } from './lints/lint.ts'
import { sidesText } from './party-words.ts'
import { portsText } from './port-words.ts'
import type { Preview } from './preview.ts'
import { scopeText } from './scope-words.ts'
import type { Change } from './turns.ts'

/** The lines: what is denied first. `changed` are the policies that are to change: of several they are named. */
export function printPreview(preview: Preview, changed: ReadonlySet<string>, look: Look): string[] {
  const lines = preview.lines.map((line) => ({ line, text: lineText(line, preview, changed) }))
  lines.sort((a, b) => rank(a.line) - rank(b.line) || (a.text < b.text ? -1 : 1))
  const isCut = lines.some(({ line }) => line.change.to === 'denied')
  return [
    ...(lines.length === 0
      ? ['nothing changes']
      : [look.title(`${count(preview.pairs, 'pair', look)} change${preview.pairs === 1 ? 's' : ''}`)]),
    ...lines.flatMap(({ line, text }) => {
      const paint = line.change.to === 'denied' ? look.bad : look.good
      return wrapWords(printable(text).split(' '), look.width, '  ').map(paint)
    }),
    ...(isCut ? [look.quiet('Connections that stand and are denied then are cut, too.')] : []),
    ...preview.warnings.flatMap((warning) =>
      wrapWords(printable(warningText(warning)).split(' '), look.width, '  ').map(look.warn),
    ),
  ]
}

function rank({ change }: Line): number {
  return change.to === 'denied' ? 0 : 1
}

function lineText(
  { change, sources, destinations, points }: Line,
  { population }: Preview,
  changed: ReadonlySet<string>,
): string {
  const [from, to] = [sources, destinations].map((sides) => sidesText(sides, population))
  const turn = change.to === 'denied' ? 'allowed → denied' : 'denied → allowed'
  const scope = points === undefined ? '' : ` ${scopeText(points, sources, destinations)}`
  return `${from} → ${to} ${portsText(change.ports)}${scope}: ${turn} (${whyText(change, changed)})`
}

function warningText({ policy, field, says }: Warning): string {
  return `! ${policyTitle(policy)}${field === undefined ? '' : `, ${field}`}: ${says}`
}

/** Who decides; what is allowed because nobody denies it any more, who did. */
function whyText({ to, before, after, direction }: Change, changed: ReadonlySet<string>): string {
  const decider = deciderText(after, direction, changed)
  if (decider !== undefined) return decider
  const denier = deciderText(before, direction, changed)
  return to === 'allowed' && denier !== undefined ? `no longer ${denier}` : `no policy speaks of it`
}

function deciderText(decision: Decision, direction: string, changed: ReadonlySet<string>): string | undefined {
  switch (decision.because) {
    case 'rule':
      return ruleText(decision.rule)
    case 'isolated': {
      const own = decision.by.filter((policy) => changed.has(policyKey(policy)))
      return `${refsText(own.length > 0 ? own : decision.by)}, spec.${direction}`
    }
    case 'firewall':
      return `${refsText(decision.by)}, ${decision.problem.field}: ${decision.problem.reason}`
    default:
      return undefined
  }
}

function ruleText({ policy, direction, index, name }: RuleRef): string {
  return `${policyTitle(policy)}, spec.${direction}[${index}]${name === undefined ? '' : ` “${name}”`}`
}

function refsText(policies: readonly PolicyRef[]): string {
  const [first, ...others] = policies
  if (first === undefined) return ''
  return `${policyTitle(first)}${others.length === 0 ? '' : ` and ${others.length} more`}`
}

/** The same as JSON: who, which ports, from what to what, and why. */
export function previewJson(preview: Preview): object {
  return {
    pairs: preview.pairs,
    changes: preview.lines.map(({ change, sources, destinations, pairs, points }) => ({
      from: change.to === 'denied' ? 'allowed' : 'denied',
      to: change.to,
      pairs,
      sources: sources.flatMap((side) => sideJson(side)),
      destinations: destinations.flatMap((side) => sideJson(side)),
      ports: change.ports,
      ...(points === undefined ? {} : { only: scopeText(points, sources, destinations) }),
      direction: change.direction,
      before: change.before,
      after: change.after,
    })),
    warnings: preview.warnings,
  }
}

function sideJson(side: Side): readonly object[] {
  switch (side.type) {
    case 'pods':
      return side.pods.map(({ namespace, name }) => ({ namespace, pod: name }))
    case 'nodes':
      return side.nodes.map((node) => ({ node }))
    case 'addresses':
      return side.members.map(({ name, address, last }) => (name === undefined ? { first: address, last } : { name }))
  }
}
