/**
 * The parts of deploy/ that follow from the code.
 */
import type { Account, Permission } from '../src/compat/permission.ts'
import { PERMISSIONS, WEFT_NAMESPACE } from '../src/compat/permissions.ts'
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

const ACCOUNTS: readonly Account[] = ['agent', 'controller', 'external-host']

/** Roles of all accounts, and who has them. */
export function rolesText(): string {
  const roles = ACCOUNTS.flatMap((account) => rolesOf(account))
  return `# Made of src/compat/permissions.ts by \`npm run manifests\`. Secrets are in none of them.\n${roles.join('---\n')}`
}

/** Roles that are only safe beside the admission policy, and who has them. */
export function boundedRolesText(): string {
  const roles = ACCOUNTS.flatMap((account) => {
    const bounded = PERMISSIONS[account].filter(({ onlyWithPolicy }) => onlyWithPolicy)
    return bounded.length === 0 ? [] : role({ account, name: `weft-${account}-on-its-node`, permissions: bounded })
  })
  return `# Made of src/compat/permissions.ts by \`npm run manifests\`. The policy beside it bounds these: never without it.\n${roles.join('---\n')}`
}

function rolesOf(account: Account): readonly string[] {
  const all = PERMISSIONS[account].filter(({ onlyWithPolicy = false }) => !onlyWithPolicy)
  const namespaces = [...new Set(all.flatMap(({ namespace }) => namespace ?? []))]
  return [
    ...role({ account, permissions: all.filter(({ namespace }) => namespace === undefined) }),
    ...namespaces.flatMap((namespace) =>
      role({ account, namespace, permissions: all.filter((one) => one.namespace === namespace) }),
    ),
  ]
}

interface RoleOptions {
  readonly account: Account
  /** The role's; as the account's when absent. */
  readonly name?: string
  readonly namespace?: string
  readonly permissions: readonly Permission[]
}

/** A role and its binding. */
function role({ account, name = `weft-${account}`, namespace, permissions }: RoleOptions): readonly string[] {
  const kind = namespace === undefined ? 'ClusterRole' : 'Role'
  const metadata = `metadata:
  name: ${name}
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
  name: ${name}
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
