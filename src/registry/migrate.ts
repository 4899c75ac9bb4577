/**
 * Taking a cluster's shared state from one registry to another, step by step. It can be killed at any line and started
 * again: what is there already is passed over, and nothing that is there is changed.
 * @module
 */
import type { DecidedState, GivenState, MigrationPlan, MigrationStep } from './migration.ts'
import { planMigration } from './migration.ts'
import { type Kind, type Kinds, type Registry, RegistryError } from './registry.ts'

/** Where from and where to. The target knows nodes and namespaces. */
export interface Migration {
  readonly source: Registry
  readonly target: Registry
}

/** How often what others write meanwhile is caught up with. */
const MOST_ROUNDS = 5

/** What is to be done, as things are now. */
export async function readPlan({ source, target }: Migration): Promise<MigrationPlan> {
  const [from, to, given] = await Promise.all([decidedIn(source), decidedIn(target), givenIn(target)])
  return planMigration(from, to, given)
}

/**
 * Does what is to be done. The plan that is returned was made after the last write: it has conflicts, or nothing is to be
 * created any more. `onStep` hears of everything that was written. Throws `REGISTRY_UNAVAILABLE` when others never stop writing.
 */
export async function migrate(
  migration: Migration,
  onStep: (step: MigrationStep) => void = () => undefined,
): Promise<MigrationPlan> {
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    const plan = await readPlan(migration)
    const todo = plan.steps.filter(({ does }) => does === 'create')
    if (plan.conflicts.length > 0 || todo.length === 0) return plan
    for (const step of todo) if (await make(migration.target, step)) onStep(step)
  }
  throw new RegistryError('REGISTRY_UNAVAILABLE', 'somebody goes on writing → stop the controllers, and run this again')
}

/** False when somebody else made it first: it is looked at again. */
async function make(target: Registry, step: MigrationStep): Promise<boolean> {
  try {
    if (step.kind === 'Cluster') await target.create(step.kind, step.name, step.value)
    else if (step.kind === 'Tenant') await target.create(step.kind, step.name, step.value)
    else await target.create(step.kind, step.name, step.value)
    return true
  } catch (error) {
    if (error instanceof RegistryError && error.code === 'REGISTRY_EXISTS') return false
    throw error
  }
}

async function decidedIn(registry: Registry): Promise<DecidedState> {
  const [clusters, networks, tenants] = await Promise.all([
    valuesOf(registry, 'Cluster'),
    valuesOf(registry, 'NodeNetwork'),
    valuesOf(registry, 'Tenant'),
  ])
  return { cluster: clusters.get('default'), networks, tenants }
}

async function givenIn(registry: Registry): Promise<GivenState> {
  const [nodes, namespaces] = await Promise.all([valuesOf(registry, 'Node'), valuesOf(registry, 'Namespace')])
  return { nodes, namespaces }
}

async function valuesOf<K extends Kind>(registry: Registry, kind: K): Promise<ReadonlyMap<string, Kinds[K]>> {
  const { objects } = await registry.list(kind)
  return new Map(objects.map(({ name, value }) => [name, value]))
}
