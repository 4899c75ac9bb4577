/**
 * Kubernetes' quantities: a decimal number with a suffix (`10M`, `1.5Gi`, `1e6`), as in k8s.io/apimachinery's
 * `resource.Quantity`.
 * @module
 */

const QUANTITY = /^([+-]?)(\d*)(?:\.(\d*))?(?:([KMGTPE]i)|([numkMGTPE])|[eE]([+-]?\d{1,3}))?$/
const MOST_CHARACTERS = 64
/** Powers of ten beyond this are as good as endless, or as nothing. */
const MOST_EXPONENT = 60

const BINARY: ReadonlyMap<string, bigint> = new Map(
  ['Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'].map((suffix, i) => [suffix, 1024n ** BigInt(i + 1)]),
)
const DECIMAL: ReadonlyMap<string, number> = new Map([
  ['n', -9],
  ['u', -6],
  ['m', -3],
  ['k', 3],
  ['M', 6],
  ['G', 9],
  ['T', 12],
  ['P', 15],
  ['E', 18],
])

/** The whole number that a quantity stands for, rounded up as Kubernetes does; undefined for what is no quantity. */
export function parseQuantity(text: string): bigint | undefined {
  const [all, sign, whole = '', fraction = '', binary, decimal, exponent] = QUANTITY.exec(text) ?? []
  if (all === undefined || text.length > MOST_CHARACTERS || whole + fraction === '') return undefined
  const digits = BigInt(whole + fraction) * (binary === undefined ? 1n : (BINARY.get(binary) ?? 1n))
  const power = (decimal === undefined ? Number(exponent ?? 0) : (DECIMAL.get(decimal) ?? 0)) - fraction.length
  const bounded = Math.max(-MOST_EXPONENT - MOST_CHARACTERS, Math.min(MOST_EXPONENT, power))
  if (bounded >= 0) return signed(sign, digits * 10n ** BigInt(bounded))
  const divisor = 10n ** BigInt(-bounded)
  // Up is towards zero for what is negative.
  return sign === '-' ? -(digits / divisor) : (digits + divisor - 1n) / divisor
}

function signed(sign: string | undefined, value: bigint): bigint {
  return sign === '-' ? -value : value
}
