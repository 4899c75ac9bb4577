/**
 * Formats of texts. Those that are not named here are not looked at.
 * @module
 */
import { isIPv4, isIPv6 } from 'node:net'

/** Whether a text has a format; true for formats that are not known. */
export function hasFormat(text: string, format: string): boolean {
  const check = FORMATS.get(format)
  return check === undefined || (text.length <= LONGEST && check(text))
}

const LONGEST = 65_536
const UUID = /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i
const MAC = /^(?:[0-9a-f]{2}([:-])[0-9a-f]{2}(?:\1[0-9a-f]{2}){4}|[0-9a-f]{4}(?:\.[0-9a-f]{4}){2})$/i
const HOST_LABEL = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/i
const EMAIL = /^[^\s@<>"]+@[^\s@<>"]+$/
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/
const DATE = /^\d{4}-\d{2}-\d{2}$/
const DATE_TIME = /^(\d{4}-\d{2}-\d{2})[Tt ](\d{2}):(\d{2}):(\d{2})(?:\.\d{1,9})?(?:[Zz]|[+-]\d{2}:?\d{2})$/
const DURATION =
  /^[+-]?(?:\d+(?:\.\d+)?\s*(?:ns|us|µs|ms|s|sec|seconds?|m|min|minutes?|h|hr|hours?|d|days?|w|weeks?)\s*)+$/

const FORMATS: ReadonlyMap<string, (text: string) => boolean> = new Map([
  ['ipv4', isIPv4],
  ['ipv6', (text) => isIPv6(text) && !text.includes('%')],
  ['cidr', isCidr],
  ['mac', (text) => MAC.test(text)],
  ['uuid', (text) => UUID.test(text)],
  ['hostname', isHostname],
  ['email', (text) => EMAIL.test(text)],
  ['uri', (text) => URL.canParse(text, 'http://host') && !/^:|[\s<>"]/.test(text)],
  ['byte', (text) => BASE64.test(text) && text.length % 4 === 0],
  ['date', isDate],
  ['date-time', isDateTime],
  ['datetime', isDateTime],
  ['duration', (text) => text === '0' || (text.length <= 128 && DURATION.test(text))],
])

/** Host bits may be set. */
function isCidr(text: string): boolean {
  const [address = '', length = '', ...rest] = text.split('/')
  if (rest.length > 0 || !/^\d{1,3}$/.test(length)) return false
  if (isIPv4(address)) return Number(length) <= 32
  return isIPv6(address) && !address.includes('%') && Number(length) <= 128
}

function isHostname(text: string): boolean {
  return text.length > 0 && text.length <= 255 && text.split('.').every((label) => HOST_LABEL.test(label))
}

/** Also false for days that no month has. */
function isDate(text: string): boolean {
  const time = DATE.test(text) ? Date.parse(`${text}T00:00:00Z`) : Number.NaN
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(text)
}

function isDateTime(text: string): boolean {
  const [, date = '', hours, minutes, seconds] = DATE_TIME.exec(text) ?? []
  return isDate(date) && Number(hours) < 24 && Number(minutes) < 60 && Number(seconds) < 61
}
