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
export type KubeConfig = Server & Authority & Account

/** Where the server is. */
export interface Server {
  /** `https://host:port`, with a path below it where a proxy wants one; no slash at its end. */
  readonly server: string
  /** The server is reached through this unix socket, as by a program in a network namespace of its own. */
  readonly socket?: string
  /** The server is reached through this HTTP proxy: a URL. It may hold a password. */
  readonly proxy?: () => string
  /** The namespace that the context names. */
  readonly namespace?: string
  /** The server's certificate is not looked at. */
  readonly insecure?: boolean
  /** The name that the server's certificate must carry when it is not the one in the address. */
  readonly serverName?: string
}

/** Whose signature the server's certificate must carry: PEM, as a text or in a file; absent: the system's own. */
export type Authority =
  | { readonly ca?: string; readonly caFile?: never }
  /** Read anew now and then: authorities in files are rotated. */
  | { readonly caFile: string; readonly ca?: never }

/** Where our credentials are from. */
export type Account =
  | {
      readonly credentials: () => Credentials
      /** Holds a token that is read anew now and then, and when the server refuses it: tokens in files are rotated. */
      readonly tokenFile?: string
      /** Hold a client certificate, PEM, that is read anew likewise. */
      readonly certificateFiles?: CertificateFiles
      readonly exec?: never
    }
  /** A program that gives them out. */
  | {
      readonly exec: () => ExecPlugin
      readonly credentials?: never
      readonly tokenFile?: never
      readonly certificateFiles?: never
    }

/** Paths of a client certificate and its key. */
export interface CertificateFiles {
  readonly cert: string
  readonly key: string
}

/** A program that gives out credentials. Its arguments and environment may hold secrets. */
export interface ExecPlugin {
  /** The version of its question and answer, `client.authentication.k8s.io/v1` or `…/v1beta1`. */
  readonly apiVersion: string
  /** A path, or a name to be found in PATH. */
  readonly command: string
  readonly args: readonly string[]
  /** Beside our own environment. */
  readonly env: Readonly<Record<string, string>>
  readonly interactiveMode: 'Never' | 'IfAvailable' | 'Always'
  /** What to do when the program is not there, for people. */
  readonly installHint?: string
  /** What it is told of the server, where it asks for that: an `ExecCredential`'s `spec.cluster`. */
  readonly cluster?: Readonly<Record<string, unknown>>
}

/** The token in a file. Throws `KUBE_CONFIG`. */
export function readTokenFile(path: string): string {
  const token = readFile(path, 'the token file').trim()
  if (!isToken(token)) throw configError(`the token file ${path} holds no token`, 'write the bare token into it')
  return token
}

/** The PEM in a file. Throws `KUBE_CONFIG`. */
export function readPemFile(path: string, what: string): string {
  const pem = readFile(path, what)
  if (!isPem(pem)) throw configError(`${what} ${path} is no PEM`, 'correct it')
  return pem
}

/** Whether a text can stand in an Authorization header: printable ASCII without blanks. */
export function isToken(text: string): boolean {
  return /^[\x21-\x7e]{1,65536}$/.test(text)
}

/** Whether a text looks like a certificate or a key. */
export function isPem(text: string): boolean {
  return text.includes('-----BEGIN ')
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
