/**
 * Certificates for one test's API server, made by openssl and gone with the test's folder.
 * @module
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { runOrFail } from './process.ts'

/** Paths of PEM files. */
export interface Certificates {
  readonly ca: string
  readonly serverCert: string
  readonly serverKey: string
  /** Of the user `tester`, of the group of administrators. */
  readonly clientCert: string
  readonly clientKey: string
}

/** Makes an authority, a server certificate for 127.0.0.1 and `names`, and a client certificate. */
export async function makeCertificates(folder: string, names: readonly string[] = []): Promise<Certificates> {
  const at = (name: string): string => join(folder, name)
  const days = ['-days', '2']
  await openssl(['req', '-x509', ...NEW_KEY, '-keyout', at('ca.key'), '-out', at('ca.crt'), ...days, '-subj', '/CN=ca'])
  const issue = async (name: string, subject: string, extensions: string): Promise<void> => {
    await openssl(['req', ...NEW_KEY, '-keyout', at(`${name}.key`), '-out', at(`${name}.csr`), '-subj', subject])
    writeFileSync(at(`${name}.ext`), extensions)
    const signed = ['-CA', at('ca.crt'), '-CAkey', at('ca.key'), '-CAcreateserial', '-extfile', at(`${name}.ext`)]
    await openssl(['x509', '-req', '-in', at(`${name}.csr`), ...signed, '-out', at(`${name}.crt`), ...days])
  }
  const others = names.map((name) => `,DNS:${name}`).join('')
  // Of both kinds: etcd's gateway reaches etcd itself as a client, with the server's certificate.
  await issue('server', '/CN=server', `subjectAltName=IP:127.0.0.1${others}\nextendedKeyUsage=serverAuth,clientAuth\n`)
  await issue('client', '/O=system:masters/CN=tester', 'extendedKeyUsage=clientAuth\n')
  return {
    ca: at('ca.crt'),
    serverCert: at('server.crt'),
    serverKey: at('server.key'),
    clientCert: at('client.crt'),
    clientKey: at('client.key'),
  }
}

const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']

async function openssl(args: readonly string[]): Promise<void> {
  await runOrFail(['openssl', ...args])
}
