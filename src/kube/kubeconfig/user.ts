/**
 * A kubeconfig's user: who we are to the server.
 * @module
 */
import {
  type Account,
  type Authority,
  type Credentials,
  configError,
  isToken,
  readPemFile,
  type Server,
} from '../config.ts'
import type { Fields } from '../fields.ts'
import { execOf } from './exec.ts'
import { type PemSource, pathIn, pemOf, textOf } from './fields.ts'
import type { Entry } from './merge.ts'

/** The account that a user's entry describes. Throws `KUBE_CONFIG`. Fields: client-go, `clientcmd/api/v1`. */
export function accountOf({ fields, folder }: Entry, name: string, cluster: ClusterEntry): Account {
  const where = `user ${name}`
  for (const key of REFUSED) {
    if (!isGiven(fields, key)) continue
    const remedy = 'use a token, a client certificate or an exec plugin'
    throw configError(`${where} uses ${key}, which is not supported`, remedy)
  }
  if (!isGiven(fields, 'exec')) return staticAccount(fields, where, folder)
  const other = OTHERS.find((key) => isGiven(fields, key))
  if (other !== undefined) throw configError(`${where} has both exec and ${other}`, 'remove one of the two')
  const plugin = execOf(fields['exec'], where, folder, cluster)
  return { exec: () => plugin }
}

/** A cluster's entry and what was made of it. */
export interface ClusterEntry extends Entry {
  readonly server: Server & Authority
}

function staticAccount(user: Fields, where: string, folder: string): Account {
  const token = textOf(user, 'token', where)
  if (token !== undefined && !isToken(token)) throw configError(`${where} has a token that is none`, 'correct it')
  const file = textOf(user, 'tokenFile', where)
  const cert = pemOf(user, 'client-certificate', where, folder)
  const key = pemOf(user, 'client-key', where, folder)
  if ((cert === undefined) !== (key === undefined)) {
    throw configError(`${where} has half of a client certificate`, 'give client-certificate and client-key')
  }
  const pair = cert === undefined || key === undefined ? {} : pairOf(cert, key)
  const credentials: Credentials = {
    // A file wins, as with kubectl: it is the one that is rotated.
    ...(token === undefined || file !== undefined ? {} : { token }),
    ...('cert' in pair ? pair : {}),
  }
  return {
    ...(file === undefined ? {} : { tokenFile: pathIn(folder, file) }),
    ...('certificateFiles' in pair ? pair : {}),
    credentials: () => credentials,
  }
}

/** Two files are rotated together; a file beside a text is not. */
function pairOf(
  cert: PemSource,
  key: PemSource,
): Pick<Account, 'certificateFiles'> | Required<Omit<Credentials, 'token'>> {
  if ('file' in cert && 'file' in key) return { certificateFiles: { cert: cert.file, key: key.file } }
  return { cert: textIn(cert), key: textIn(key) }
}

function textIn(source: PemSource): string {
  return 'pem' in source ? source.pem : readPemFile(source.file, 'the client certificate')
}

const REFUSED = ['auth-provider', 'username', 'password', 'as', 'as-uid', 'as-groups', 'as-user-extra']
const OTHERS = ['token', 'tokenFile', 'client-certificate', 'client-certificate-data', 'client-key', 'client-key-data']

function isGiven(fields: Fields, key: string): boolean {
  return fields[key] !== undefined && fields[key] !== null && fields[key] !== ''
}
