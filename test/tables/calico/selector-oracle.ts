/**
 * What a selector of Calico says of labels, for tests: read and judged in one go, from right to left, out of the words of
 * its reference. It shares nothing with the reader that is tested.
 */

type Values = ReadonlyMap<string, string>

/** Whether labels meet a selector. Throws for what is none. */
export function selects(text: string, labels: Values): boolean {
  const words = text.match(/'[^']*'|"[^"]*"|&&|\|\||==|!=|[!(){},]|[\w./-]+/g) ?? []
  return words.length === 0 ? true : either(words, labels)
}

/** The words cut at a sign, where no bracket is open. */
function cut(words: readonly string[], sign: string): readonly (readonly string[])[] {
  const parts: string[][] = [[]]
  let open = 0
  for (const word of words) {
    if (word === '(') open += 1
    if (word === ')') open -= 1
    if (word === sign && open === 0) parts.push([])
    else parts.at(-1)?.push(word)
  }
  return parts
}

function either(words: readonly string[], labels: Values): boolean {
  return cut(words, '||').some((part) => cut(part, '&&').every((one) => single(one, labels)))
}

function single(words: readonly string[], labels: Values): boolean {
  const [first = '', second = '', third = ''] = words
  if (first === '!') return !single(words.slice(1), labels)
  if (first === '(') return either(words.slice(1, -1), labels)
  if (second === '(') {
    if (first === 'all') return true
    if (first === 'global') return !labels.has('projectcalico.org/namespace')
    if (first === 'has') return labels.has(third)
  }
  return compared(words, labels.get(first))
}

function compared(
  [, second = '', third = '', fourth = '', ...rest]: readonly string[],
  value: string | undefined,
): boolean {
  const bare = (word: string): string => word.slice(1, -1)
  const set = [third, fourth, ...rest].filter((word) => /^['"]/.test(word)).map(bare)
  switch (`${second} ${/^\w/.test(third) ? third : ''}`.trim()) {
    case 'in':
      return value !== undefined && set.includes(value)
    case 'not in':
      return value === undefined || !set.includes(value)
    case '==':
      return value === bare(third)
    case '!=':
      return value !== bare(third)
    case 'contains':
      return value?.includes(bare(third)) ?? false
    case 'starts with':
      return value?.startsWith(bare(fourth)) ?? false
    case 'ends with':
      return value?.endsWith(bare(fourth)) ?? false
    default:
      throw new Error(`no selector: ${second} ${third}`)
  }
}
