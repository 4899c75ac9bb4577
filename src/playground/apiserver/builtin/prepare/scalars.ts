/**
 * The API's types of single values.
 * @module
 */

/** A type: its zero value, and what is wrong with a value: its type, or what is told. */
export interface Scalar {
  readonly zero: unknown
  readonly goName?: string
  problemOf(value: unknown): 'type' | string | undefined
}

const QUANTITY = /^[+-]?[0-9.]+(?:[eE][-+]?[0-9]{1,3}|[EinumkKMGTP]{0,2})$/
const TIME = /^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(?:[.,]\d+)?(?:Z|[+-]\d{2}:\d{2})$/
const MICRO_TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{6}(?:Z|[+-]\d{2}:\d{2})$/
const BASE64 = /^[A-Za-z0-9+/\r\n]*={0,2}[\r\n]*$/

/** Types by name. What is in no table here is kept as it is. */
export const SCALARS: ReadonlyMap<string, Scalar> = new Map<string, Scalar>([
  ['string', { zero: '', problemOf: (value) => typeIf(typeof value !== 'string') }],
  ['bool', { zero: false, problemOf: (value) => typeIf(typeof value !== 'boolean') }],
  ['int32', { zero: 0, problemOf: (value) => typeIf(!isInteger(value, 31)) }],
  ['int64', { zero: 0, problemOf: (value) => typeIf(!isInteger(value, 63)) }],
  ['bytes', { zero: '', goName: '[]uint8', problemOf: problemOfBytes }],
  ['Time', { zero: '', problemOf: (value) => problemOfTime(value, TIME, '2006-01-02T15:04:05Z07:00') }],
  [
    'MicroTime',
    { zero: '', problemOf: (value) => problemOfTime(value, MICRO_TIME, '2006-01-02T15:04:05.000000Z07:00') },
  ],
  [
    'IntOrString',
    { zero: 0, goName: 'int32', problemOf: (value) => typeIf(typeof value !== 'string' && !isInteger(value, 31)) },
  ],
  ['Quantity', { zero: '0', problemOf: problemOfQuantity }],
])

function typeIf(isWrong: boolean): 'type' | undefined {
  return isWrong ? 'type' : undefined
}

function isInteger(value: unknown, bits: number): boolean {
  return typeof value === 'number' && Number.isInteger(value) && value >= -(2 ** bits) && value < 2 ** bits
}

/** Base64; where it stops being so is told as Go tells it. */
function problemOfBytes(value: unknown): string | undefined {
  if (typeof value !== 'string') return 'type'
  const text = value.replace(/[\r\n]/g, '')
  if (BASE64.test(value) && text.length % 4 === 0) return undefined
  const at = text.search(/[^A-Za-z0-9+/]/)
  return `illegal base64 data at input byte ${at < 0 ? text.length - (text.length % 4) : at}`
}

function problemOfTime(value: unknown, pattern: RegExp, layout: string): string | undefined {
  if (typeof value !== 'string') return 'type'
  if (pattern.test(value) && !Number.isNaN(Date.parse(value.replace(/:60(?=[.Z+-])/, ':59')))) return undefined
  return `parsing time ${JSON.stringify(value.slice(0, 100))} as "${layout}": it is not written so`
}

function problemOfQuantity(value: unknown): string | undefined {
  if (typeof value === 'number' && Number.isFinite(value)) return undefined
  if (typeof value === 'string' && value.length <= 64 && QUANTITY.test(value)) return undefined
  return "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
}
