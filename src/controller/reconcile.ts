/**
 * One pass of the controller: read, decide, write.
 *
 * It reads the registry itself and not a watched copy: a copy that has not heard of the last write yet would give the
 * same range away twice. Passes are few (changes that come during one are met by the next), so this costs little.
 * @module
 */
import { type Kind, type Listing, type Registry, RegistryError } from '../registry/registry.ts'
import { decideNodes } from './nodes.ts'
import { decideTenants } from './tenants.ts'
import { applyWrite, type Write } from './write.ts'

/** What a pass needs of the one before; nothing that matters is lost with it. */
export interface PassMemory {
  readonly position: readonly number[]
}

/** What a pass came to. */
export interface PassResult {
  readonly memory: PassMemory
  /** Writes that were made. While there are any, another pass may find more to do. */
  readonly written: readonly Write[]
  /** Writes that somebody else's write made wrong: another pass decides anew. */
  readonly overtaken: readonly Write[]
  /** What cannot be done, for people. */
  readonly problems: readonly string[]
}

/** Does what is to be done now. Throws a {@link RegistryError} when the registry cannot be read or written. */
export async function reconcile(registry: Registry, random: () => number, memory: PassMemory): Promise<PassResult> {
  const cluster = (await registry.get('Cluster', 'default'))?.value
  if (cluster === undefined) {
    return {
      memory,
      written: [],
      overtaken: [],
      problems: [
        'there is no cluster configuration: nothing is done until the registry has the object Cluster "default"',
      ],
    }
  }
  const networks = await objects(registry.list('NodeNetwork'))
  const nodes = await objects(registry.list('Node'))
  const tenants = await objects(registry.list('Tenant'))
  const namespaces = await objects(registry.list('Namespace'))
  const forNodes = decideNodes({ cluster, nodes, networks, position: memory.position })
  const forTenants = decideTenants({ tenancy: cluster.tenancy, namespaces, tenants, random })
  const written: Write[] = []
  const overtaken: Write[] = []
  for (const write of [...forNodes.writes, ...forTenants.writes]) {
    const made = await tryWrite(registry, write)
    ;(made ? written : overtaken).push(write)
  }
  const problems = [...forNodes.problems, ...forTenants.problems]
  return { memory: { position: forNodes.position }, written, overtaken, problems }
}

async function tryWrite(registry: Registry, write: Write): Promise<boolean> {
  try {
    // Each branch has one kind, which the union's type alone does not tell.
    if (write.kind === 'Tenant') await applyWrite(registry, write)
    else if (write.kind === 'Namespace') await applyWrite(registry, write)
    else await applyWrite(registry, write)
    return true
  } catch (error) {
    if (error instanceof RegistryError && OVERTAKEN.has(error.code)) return false
    throw error
  }
}

const OVERTAKEN: ReadonlySet<string> = new Set(['REGISTRY_CONFLICT', 'REGISTRY_EXISTS', 'REGISTRY_NOT_FOUND'])

async function objects<K extends Kind>(listing: Promise<Listing<K>>): Promise<Listing<K>['objects']> {
  return (await listing).objects
}
