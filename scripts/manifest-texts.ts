/**
 * The parts of deploy/ that follow from the code.
 */
import { type Account, PERMISSIONS, type Permission, WEFT_NAMESPACE } from '../src/compat/permissions.ts'
import { commentedFile } from '../src/settings/print.ts'

/** The ConfigMap with every setting in it, as comments. */
export function configMapText(): string {
  const file = commentedFile()
    .trimEnd()
    .split('\n')
    .map((line) => (line === '' ? '' : `    ${line}`))
  return `# Made of src/settings/table.ts by \`npm run manifests\`.
apiVersion: v1
kind: ConfigMap
metadata:
  name: weft-config
  namespace: ${WEFT_NAMESPACE}
  labels:
    app.kubernetes.io/part-of: weft
data:
  weft.yaml: |
${file.join('\n')}
`
}

/** Roles of both accounts, and who has them. */
export function rolesText(): string {
  const accounts: readonly Account[] = ['agent', 'controller', 'external-host']
  const roles = accounts.flatMap((account) => rolesOf(account))
  return `# Made of src/compat/permissions.ts by \`npm run manifests\`. Secrets are in none of them.\n${roles.join('---\n')}`
}

function rolesOf(account: Account): readonly string[] {
  const all = PERMISSIONS[account]
  const namespaces = [...new Set(all.flatMap(({ namespace }) => namespace ?? []))]
  return [
    ...role(
      account,
      undefined,
      all.filter(({ namespace }) => namespace === undefined),
    ),
    ...namespaces.flatMap((namespace) =>
      role(
        account,
        namespace,
        all.filter((one) => one.namespace === namespace),
      ),
    ),
  ]
}

/** A role and its binding. */
function role(account: Account, namespace: string | undefined, permissions: readonly Permission[]): readonly string[] {
  const kind = namespace === undefined ? 'ClusterRole' : 'Role'
  const metadata = `metadata:
  name: weft-${account}
${namespace === undefined ? '' : `  namespace: ${namespace}\n`}  labels:
    app.kubernetes.io/part-of: weft
`
  const head = (what: string): string => `apiVersion: rbac.authorization.k8s.io/v1\nkind: ${what}\n${metadata}`
  const rules = `${head(kind)}rules:\n${permissions.map(rule).join('')}`
  // Who is an external host is not known before there is one.
  if (account === 'external-host') return [rules]
  return [
    rules,
    `${head(`${kind}Binding`)}roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: ${kind}
  name: weft-${account}
subjects:
  - kind: ServiceAccount
    name: weft-${account}
    namespace: ${WEFT_NAMESPACE}
`,
  ]
}

function rule({ resource, verbs, names, why }: Permission): string {
  return `  # ${why}
  - apiGroups: ['${resource.group}']
    resources: [${resource.plural}]
${names === undefined ? '' : `    resourceNames: [${names.join(', ')}]\n`}    verbs: [${verbs.join(', ')}]
`
}
