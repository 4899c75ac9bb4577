/**
 * `matches()` of rules. The engine's own can be held up by a text; this one reads expressions as Kubernetes does, in time
 * that grows with the text.
 * @module
 */
import { type ASTNode, type Environment, serialize } from '@marcbachmann/cel-js'
import { compilePattern, type Pattern } from '../pattern.ts'
import { isNode } from './facts.ts'

/** What {@link withOurMatches} calls it; rules cannot. */
export const OUR_MATCHES = 'matchesInLinearTime'

const MOST_KEPT = 256
const compiled = new Map<string, Pattern | string>()

/** Gives an environment the function. */
export function registerMatches(environment: Environment): Environment {
  return environment.registerFunction(`string.${OUR_MATCHES}(string): bool`, (text: string, pattern: string) => {
    const known = patternOf(pattern)
    if (typeof known === 'string') throw new Error(`no such pattern: ${known}`)
    return known.matches(text)
  })
}

/** The text of a rule that calls ours for every `matches`. Changes the tree that it is given. */
export function withOurMatches(ast: ASTNode): string {
  rename(ast)
  return serialize(ast)
}

function rename(node: unknown): void {
  if (Array.isArray(node)) for (const one of node) rename(one)
  if (!isNode(node)) return
  const parts: unknown = node.args
  if ((node.op === 'call' || node.op === 'rcall') && Array.isArray(parts) && parts[0] === 'matches') {
    parts[0] = OUR_MATCHES
  }
  rename(parts)
}

function patternOf(text: string): Pattern | string {
  const known = compiled.get(text)
  if (known !== undefined) return known
  const pattern = compilePattern(text)
  if (compiled.size >= MOST_KEPT) compiled.clear()
  compiled.set(text, pattern)
  return pattern
}
