import { badArgument } from '../errno.ts'
import { LINK_ALIAS_MAX, LINK_NAME_MAX } from './link-constants.ts'

/** The kernel's rule for link names: 1 to 15 bytes, not `.` or `..`, no `/`, `:` or white space. Throws LINUX_ARGUMENT. */
export function checkLinkName(name: string): void {
  const bytes = Buffer.byteLength(name)
  if (bytes >= 1 && bytes <= LINK_NAME_MAX && name !== '.' && name !== '..' && !/[/:%\s\0]/.test(name)) return
  throw badArgument(
    `${JSON.stringify(name)} cannot be a link's name`,
    `use 1 to ${LINK_NAME_MAX} bytes without slash, colon, percent or space`,
  )
}

/** Throws LINUX_ARGUMENT for an alias that is too long or cannot be set. */
export function checkAlias(alias: string, settable: boolean): void {
  if (!settable) throw badArgument('an alias cannot be given to a link that is born in another namespace')
  if (Buffer.byteLength(alias) <= LINK_ALIAS_MAX && !alias.includes('\0')) return
  throw badArgument(`the alias is longer than ${LINK_ALIAS_MAX} bytes or holds a NUL`)
}
