import { readFile } from 'node:fs/promises'
import { OvsdbError } from '../errors.ts'

/** Files in PEM, as ovs-pki makes them. Read anew at every connect, so that renewed ones are used. */
export type TlsFiles = {
  /** Certificates of the authorities that may have signed the server's. Nobody else's word counts. */
  readonly ca: string
  /** Our own certificate and its key: the server asks for them. */
  readonly certificate: string
  readonly key: string
}

export type TlsMaterial = { readonly ca: string; readonly cert: string; readonly key: string }

/** Reads the files. Throws OVSDB_BAD_TLS with the name of the one that cannot be read. */
export async function readTls(files: TlsFiles | undefined): Promise<TlsMaterial> {
  if (files === undefined) {
    throw new OvsdbError('OVSDB_BAD_TLS', 'an ssl: remote was named, and no certificates', {
      remedy: 'name the files of the authority, the certificate and its private key',
    })
  }
  const [ca, cert, key] = await Promise.all([
    pem(files.ca, 'CERTIFICATE'),
    pem(files.certificate, 'CERTIFICATE'),
    pem(files.key, 'PRIVATE KEY'),
  ])
  return { ca, cert, key }
}

async function pem(path: string, what: string): Promise<string> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw bad(path, cause instanceof Error ? cause.message : String(cause), cause)
  })
  if (!new RegExp(`-----BEGIN (?:[A-Z]+ )?${what}-----`).test(text)) throw bad(path, `it holds no PEM ${what}`)
  return text
}

function bad(path: string, why: string, cause?: unknown): OvsdbError {
  return new OvsdbError('OVSDB_BAD_TLS', `the file ${path} cannot be used for TLS: ${why}`, {
    remedy: 'name a PEM file that this user may read',
    cause,
  })
}
