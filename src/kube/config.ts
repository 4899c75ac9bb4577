/**
 * Where an API server is and who we are to it.
 * @module
 */
import { readFileSync } from 'node:fs'
import { KubeError } from './errors.ts'

/** What proves who we are. Only ever behind a function, so that whoever prints a configuration prints none of it. */
export interface Credentials {
  readonly token?: string
  /** PEM. */
  readonly cert?: string
  /** PEM. */
  readonly key?: string
}

/** An API server and an account on it. */
export interface KubeConfig {
  /** `https://host:port`, with a path below it where a proxy wants one; no slash at its end. */
  readonly server: string
  /** The server is reached through this unix socket, as by a program in a network namespace of its own. */
  readonly socket?: string
  /** The namespace that the context names. */
  readonly namespace?: string
  /** PEM; absent: the system's own authorities. */
  readonly ca?: string
  /** The server's certificate is not looked at. */
  readonly insecure?: boolean
  /** The name that the server's certificate must carry when it is not the one in the address. */
  readonly serverName?: string
  /** Read anew when the server refuses it and every few seconds: tokens in files are rotated. */
  readonly tokenFile?: string
  readonly credentials: () => Credentials
}

/** The token in a file. Throws `KUBE_CONFIG`. */
export function readTokenFile(path: string): string {
  const token = readFile(path, 'the token file').trim()
  if (!isToken(token)) throw configError(`the token file ${path} holds no token`, 'write the bare token into it')
  return token
}

/** Whether a text can stand in an Authorization header: printable ASCII without blanks. */
export function isToken(text: string): boolean {
  return /^[\x21-\x7e]{1,65536}$/.test(text)
}

/** A file's text. Throws `KUBE_CONFIG`, which names the file and nothing of its content. */
export function readFile(path: string, what: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    const { code = 'unreadable' } = cause as NodeJS.ErrnoException
    throw configError(`${what} ${path} cannot be read (${code})`, 'check the path and its permissions')
  }
}

/** A configuration that cannot be used. */
export function configError(message: string, remedy: string): KubeError {
  return new KubeError('KUBE_CONFIG', message, remedy)
}
