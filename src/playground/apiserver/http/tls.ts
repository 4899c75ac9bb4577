/**
 * The server's certificate, out of an authority made for it alone, whose key is thrown away at once.
 * @module
 */
import { execFile } from 'node:child_process'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { PlaygroundError } from '../../errors.ts'

/** PEM texts. */
export interface Certificates {
  readonly ca: string
  readonly cert: string
  readonly key: string
}

const DAYS = '3650'
const NAMES = 'subjectAltName=IP:127.0.0.1,IP:::1,DNS:localhost'
const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']

/** The certificates in a folder of their owner's; made when they are not there. Throws `PLAY_TOOL_MISSING`. */
export async function certificatesIn(dir: string): Promise<Certificates> {
  const [ca, caKey, cert, key] = ['ca.crt', 'ca.key', 'server.crt', 'server.key'].map((name) => join(dir, name))
  if (ca === undefined || caKey === undefined || cert === undefined || key === undefined)
    throw new TypeError('no names')
  // The authority's key goes last: as long as it is there, the making was not finished.
  if (!existsSync(cert) || existsSync(caKey)) {
    await openssl([...KEY, '-x509', '-days', DAYS, '-keyout', caKey, '-out', ca, '-subj', '/CN=weft-playground-ca'])
    const issuer = ['-CA', ca, '-CAkey', caKey, '-addext', NAMES, '-addext', 'basicConstraints=critical,CA:FALSE']
    await openssl([...KEY, '-x509', '-days', DAYS, '-keyout', key, '-out', cert, '-subj', '/CN=localhost', ...issuer])
    rmSync(caKey)
  }
  return { ca: readFileSync(ca, 'utf8'), cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') }
}

async function openssl(args: readonly string[]): Promise<void> {
  try {
    await promisify(execFile)('openssl', ['req', ...args], { timeout: 30_000 })
  } catch (cause) {
    const remedy = 'install openssl 3: on Debian, apt-get install openssl'
    throw new PlaygroundError('PLAY_TOOL_MISSING', 'openssl cannot make the API server a certificate', remedy, {
      cause,
    })
  }
}
