/**
 * Making one write, and telling the state what became of it.
 * @module
 */
import { type Kind, type Registry, RegistryError, type Stored } from '../registry/registry.ts'
import type { ControllerState } from './state.ts'
import { applyWrite, type Write } from './write.ts'

/** What became of a write. */
export type Performance =
  | { readonly is: 'made'; readonly isKept: boolean }
  /** Somebody else wrote first; what is there instead is known. */
  | { readonly is: 'overtaken' }
  /** Something that cannot be read is in the place of what was to be made, or was a moment ago. */
  | { readonly is: 'hidden' }
  /** What is in its place cannot be read. */
  | { readonly is: 'unreadable'; readonly reason: string }
  /** It may have been made, or may be made yet. It counts as on its way until {@link lookAgain} knows more. */
  | { readonly is: 'failed'; readonly error: unknown }

/** Makes a write. Never throws. */
export async function perform(registry: Registry, state: ControllerState, write: Write): Promise<Performance> {
  try {
    return { is: 'made', isKept: state.made(write, await apply(registry, write)) }
  } catch (error) {
    return isOvertaken(error) ? lookAgain(registry, state, write, 'refused') : { is: 'failed', error }
  }
}

/** Finds out what is there, after a write that was refused or of which nobody knows what became. Never throws. */
export async function lookAgain(
  registry: Registry,
  state: ControllerState,
  write: Write,
  end: 'refused' | 'unknown',
): Promise<Performance> {
  try {
    const found = await registry.get(write.kind, write.name)
    if (found === undefined && write.op === 'create' && end === 'refused') return { is: 'hidden' }
    state.found(write, found, end)
    return { is: 'overtaken' }
  } catch (error) {
    if (!(error instanceof RegistryError) || error.code !== 'REGISTRY_INVALID') return { is: 'failed', error }
    state.unreadable(write, error.message)
    return { is: 'unreadable', reason: error.message }
  }
}

function apply(registry: Registry, write: Write): Promise<Stored<Kind> | undefined> {
  // Each branch has one kind, which the union's type alone does not tell.
  if (write.kind === 'Tenant') return applyWrite(registry, write)
  if (write.kind === 'Namespace') return applyWrite(registry, write)
  return applyWrite(registry, write)
}

const OVERTAKEN: ReadonlySet<string> = new Set(['REGISTRY_CONFLICT', 'REGISTRY_EXISTS', 'REGISTRY_NOT_FOUND'])

function isOvertaken(error: unknown): boolean {
  return error instanceof RegistryError && OVERTAKEN.has(error.code)
}
