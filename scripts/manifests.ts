/**
 * `npm run manifests`: writes what in deploy/ follows from the code (roles, the ConfigMap) and from its other files (one
 * file per way to install). kubectl's kustomize makes the same of the latter; this needs no kubectl.
 */
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { parse } from 'yaml'
import { boundedRolesText, configMapText, rolesText } from './manifest-texts.ts'

const ROOT = join(import.meta.dir, '..')
const DEPLOY = join(ROOT, 'deploy')

/** Files that `kubectl apply -f` takes, and the kustomization that each of them is. */
const FLAT: Readonly<Record<string, string>> = {
  'weft.yaml': 'overlays/default',
  'weft-no-admission-policy.yaml': 'overlays/no-admission-policy',
  'weft-remove.yaml': 'overlays/remove',
}

/** Every generated file below deploy/ with its text. */
export function manifests(): ReadonlyMap<string, string> {
  const parts = new Map([
    ['base/roles.yaml', rolesText()],
    ['base/config.yaml', configMapText()],
    ['admission-policy/roles.yaml', boundedRolesText()],
  ])
  const read = (path: string): string => parts.get(relative(DEPLOY, path)) ?? readFileSync(path, 'utf8')
  const flat = Object.entries(FLAT).map(([name, folder]): [string, string] => {
    const documents = resourcesOf(join(DEPLOY, folder)).map((path) => read(path).trim())
    return [name, `${headOf(folder)}\n---\n${documents.join('\n---\n')}\n`]
  })
  return new Map([...parts, ...flat])
}

function headOf(folder: string): string {
  return `# Made of deploy/${folder} by \`npm run manifests\`: change that, not this.`
}

/** The files of a kustomization, in its order. Throws for what only kustomize itself does. */
function resourcesOf(folder: string): readonly string[] {
  const path = ['kustomization.yaml', 'Kustomization'].map((name) => join(folder, name)).find(isFile)
  if (path === undefined) throw new Error(`${folder} has no kustomization.yaml`)
  const { apiVersion: _, kind: __, resources, ...rest } = parse(readFileSync(path, 'utf8')) as Kustomization
  if (Object.keys(rest).length > 0) throw new Error(`${path}: ${Object.keys(rest)} cannot be put into one file here`)
  return resources.flatMap((name) => {
    const target = join(dirname(path), name)
    return name.endsWith('.yaml') ? [target] : resourcesOf(target)
  })
}

interface Kustomization {
  readonly apiVersion: string
  readonly kind: string
  readonly resources: readonly string[]
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true
}

if (import.meta.main) {
  for (const [name, text] of manifests()) {
    const path = join(DEPLOY, name)
    if (isFile(path) && readFileSync(path, 'utf8') === text) continue
    writeFileSync(path, text)
    console.error(`deploy/${name} is written anew.`)
  }
}
