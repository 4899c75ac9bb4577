/**
 * Probes: what is asked of a container, how often, and what a row of answers means. Pure.
 * @module
 */
import { fields, list, text, texts, whole } from '../read.ts'

export type ProbeKind = 'startup' | 'liveness' | 'readiness'

/** A port by number, or by its name in the container. */
export type PortRef = number | string

export type ProbeAction =
  | { readonly type: 'exec'; readonly command: readonly string[] }
  | { readonly type: 'tcp'; readonly host: string | undefined; readonly port: PortRef }
  | HttpAction
  /** What this kubelet cannot ask. */
  | { readonly type: 'unsupported'; readonly what: string }

export interface HttpAction {
  readonly type: 'http'
  readonly host: string | undefined
  readonly port: PortRef
  readonly path: string
  readonly headers: readonly (readonly [name: string, value: string])[]
}

/** A probe; times in milliseconds. The defaults are the API's. */
export interface Probe {
  readonly action: ProbeAction
  readonly delay: number
  readonly period: number
  readonly timeout: number
  readonly successThreshold: number
  readonly failureThreshold: number
}

/** A row of equal answers, and the verdict they led to. */
export interface ProbeState {
  readonly verdict: 'unknown' | 'passed' | 'failed'
  readonly last: boolean | undefined
  readonly row: number
}

export const UNPROBED: ProbeState = { verdict: 'unknown', last: undefined, row: 0 }

/** Decodes a probe of the API; undefined where there is none. */
export function decodeProbe(value: unknown, kind: ProbeKind): Probe | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const probe = fields(value)
  return {
    action: actionOf(probe),
    delay: whole(probe['initialDelaySeconds'], 0) * 1000,
    period: whole(probe['periodSeconds'], 10, 1) * 1000,
    timeout: whole(probe['timeoutSeconds'], 1, 1) * 1000,
    // The API allows other values for readiness only.
    successThreshold: kind === 'readiness' ? whole(probe['successThreshold'], 1, 1) : 1,
    failureThreshold: whole(probe['failureThreshold'], 3, 1),
  }
}

/** The state after one more answer. */
export function afterAnswer(state: ProbeState, success: boolean, probe: Probe): ProbeState {
  const row = state.last === success ? state.row + 1 : 1
  const threshold = success ? probe.successThreshold : probe.failureThreshold
  const verdict = row < threshold ? state.verdict : success ? 'passed' : 'failed'
  return { verdict, last: success, row }
}

/** What an HTTP handler of the API asks for. */
export function decodeHttp(value: unknown): HttpAction | { readonly type: 'unsupported'; readonly what: string } {
  const get = fields(value)
  if (get['scheme'] === 'HTTPS') return { type: 'unsupported', what: 'HTTPS' }
  const headers = list(get['httpHeaders']).flatMap((each) => {
    const [name, content] = [text(fields(each)['name']), text(fields(each)['value'])]
    const isClean = name !== undefined && content !== undefined && !/[\r\n\0]/.test(name + content)
    return isClean ? [[name, content] as const] : []
  })
  const path = (text(get['path']) ?? '/').replace(/[\s\0]/g, '')
  return {
    type: 'http',
    host: text(get['host']),
    port: portRef(get['port']),
    path: path.startsWith('/') ? path : `/${path}`,
    headers,
  }
}

function actionOf(probe: Readonly<Record<string, unknown>>): ProbeAction {
  if (probe['httpGet'] !== undefined) return decodeHttp(probe['httpGet'])
  if (probe['exec'] !== undefined) return { type: 'exec', command: texts(fields(probe['exec'])['command']) }
  if (probe['tcpSocket'] !== undefined) {
    const { host, port } = fields(probe['tcpSocket'])
    return { type: 'tcp', host: text(host), port: portRef(port) }
  }
  return { type: 'unsupported', what: probe['grpc'] === undefined ? 'no handler' : 'gRPC' }
}

function portRef(value: unknown): PortRef {
  return typeof value === 'string' ? (/^\d+$/.test(value) ? Number(value) : value) : whole(value, 0, 1, 65535)
}
