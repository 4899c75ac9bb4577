/**
 * The cloud of a controller: credentials as `openstack` itself finds them, read anew whenever they are refused.
 * @module
 */
import { loadCloud } from '../openstack/config/load.ts'
import { Neutron } from '../openstack/neutron/neutron.ts'
import { OpenStackSession } from '../openstack/session.ts'

/** Which cloud. */
export interface CloudChoice {
  /** Its name in clouds.yaml. Absent: OS_CLOUD, what OS_AUTH_URL and its like say, the only one there is. */
  readonly cloud: string | undefined
  /** clouds.yaml. Absent: where the `openstack` client looks for it, such as /etc/openstack. */
  readonly file: string | undefined
  readonly log: { warn(fields: object, message: string): void }
}

/** Opens a session each time with what the files say then. It throws `OPENSTACK_CONFIG`. */
export function cloudOpener({ cloud, file, log }: CloudChoice): () => Neutron {
  const told = new Set<string>()
  return () => {
    const variables = file === undefined ? process.env : { ...process.env, OS_CLIENT_CONFIG_FILE: file }
    const config = loadCloud({ variables, ...(cloud === undefined ? {} : { cloud }) })
    for (const warning of config.warnings) {
      if (!told.has(warning)) log.warn({}, warning)
      told.add(warning)
    }
    return new Neutron(new OpenStackSession(config))
  }
}
