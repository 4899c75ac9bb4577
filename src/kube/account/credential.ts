/**
 * An `ExecCredential`: what a plugin is asked, and what it answers.
 * @module
 */
import { type Credentials, type ExecPlugin, isPem, isToken } from '../config.ts'
import { KubeError } from '../errors.ts'

/** Credentials, and until when they are good. */
export interface Issued {
  readonly credentials: Credentials
  /** Milliseconds since 1970. Undefined: until they are refused. */
  readonly expires: number | undefined
}

/** What a plugin finds in `KUBERNETES_EXEC_INFO`. */
export function questionFor({ apiVersion, cluster }: ExecPlugin, interactive: boolean): string {
  return JSON.stringify({
    apiVersion,
    kind: 'ExecCredential',
    spec: { interactive, ...(cluster === undefined ? {} : { cluster }) },
  })
}

/**
 * What a plugin wrote. Throws `KUBE_CREDENTIALS`, which holds nothing of it. Source: k8s.io/client-go,
 * `plugin/pkg/client/auth/exec`.
 */
export function decodeAnswer(text: string, { apiVersion }: ExecPlugin): Issued {
  const answer = recordOf(parsed(text))
  if (answer['kind'] !== 'ExecCredential') throw badAnswer('something that is no ExecCredential')
  if (answer['apiVersion'] !== apiVersion) throw badAnswer(`another version than ${apiVersion}`)
  const status = recordOf(answer['status'])
  const token = textIn(status, 'token')
  const cert = textIn(status, 'clientCertificateData')
  const key = textIn(status, 'clientKeyData')
  if ((cert === undefined) !== (key === undefined)) throw badAnswer('half of a client certificate')
  if (token === undefined && cert === undefined) throw badAnswer('neither a token nor a client certificate')
  if (token !== undefined && !isToken(token)) throw badAnswer('a token that is none')
  if (cert !== undefined && key !== undefined && !(isPem(cert) && isPem(key)))
    throw badAnswer('a certificate not in PEM')
  return {
    credentials: {
      ...(token === undefined ? {} : { token }),
      ...(cert === undefined || key === undefined ? {} : { cert, key }),
    },
    expires: expiryIn(status),
  }
}

/** RFC 3339, as Go writes it. */
const TIMESTAMP = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/

function expiryIn(status: Readonly<Record<string, unknown>>): number | undefined {
  const text = textIn(status, 'expirationTimestamp')
  if (text === undefined) return undefined
  const time = TIMESTAMP.test(text) ? Date.parse(text) : Number.NaN
  if (Number.isNaN(time)) throw badAnswer('an expirationTimestamp that is no time')
  return time
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw badAnswer('something that is not JSON')
  }
}

function textIn(fields: Readonly<Record<string, unknown>>, key: string): string | undefined {
  const value = fields[key]
  if (value === undefined || value === null || value === '') return undefined
  if (typeof value !== 'string') throw badAnswer(`a ${key} that is no text`)
  return value
}

function recordOf(input: unknown): Readonly<Record<string, unknown>> {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) throw badAnswer('no status')
  return input as Readonly<Record<string, unknown>>
}

function badAnswer(what: string): KubeError {
  const remedy = 'run the plugin by hand with the same arguments and see what it prints'
  return new KubeError('KUBE_CREDENTIALS', `the credential plugin answered with ${what}`, remedy)
}
