/**
 * The password form of cni-ipam-neutron's netconf: hexadecimal of AES-256-CFB under a key and a start value that are in its
 * published source. It hides a password from nobody; it is understood so that old configurations go on working.
 * Source: yaoice/cni-ipam-neutron, `scripts/encrypt.go`.
 * @module
 */
import { createDecipheriv } from 'node:crypto'

const KEY = Buffer.from('aabcice12798akljzmknm.ahkjkljl;k', 'latin1')
const IV = Buffer.from(Array.from({ length: 16 }, (_, index) => index))

/**
 * The password in that form; undefined where the text is not of that form, and then it is the password itself. A password
 * that happens to be hexadecimal decrypts to bytes that nobody types.
 */
export function decryptLegacyPassword(text: string): string | undefined {
  if (text === '' || text.length % 2 !== 0 || !/^[0-9a-fA-F]+$/.test(text)) return undefined
  const decipher = createDecipheriv('aes-256-cfb', KEY, IV)
  const bytes = Buffer.concat([decipher.update(text, 'hex'), decipher.final()])
  const plain = bytes.toString('utf8')
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what nobody types
  return plain.includes('�') || /[\x00-\x1f\x7f]/.test(plain) ? undefined : plain
}
