/**
 * What people write about a cloud, in whichever form, under one name each. Values are not judged yet.
 * @module
 */

/** Every name that `cloudConfig` understands. */
export const SETTING_NAMES = [
  'authUrl',
  'authType',
  'username',
  'userId',
  'password',
  'userDomainName',
  'userDomainId',
  'projectName',
  'projectId',
  'projectDomainName',
  'projectDomainId',
  'domainName',
  'domainId',
  'defaultDomain',
  'systemScope',
  'credentialId',
  'credentialName',
  'credentialSecret',
  'token',
  'region',
  'interface',
  'caFile',
  'certFile',
  'keyFile',
  'insecure',
  'verify',
  'apiVersion',
  'endpoint',
  'networkEndpoint',
] as const

export type SettingName = (typeof SETTING_NAMES)[number]

/** Values by name, none of them empty. */
export type Settings = { readonly [K in SettingName]?: string }

/**
 * Names in environment variables and openrc files, the newer of two first. Source: keystoneauth1 `loading/`, openstacksdk
 * `config/loader.py`, python-openstackclient's manual.
 */
export const ENVIRONMENT_NAMES: Readonly<Record<SettingName, readonly string[]>> = {
  authUrl: ['OS_AUTH_URL'],
  authType: ['OS_AUTH_TYPE'],
  username: ['OS_USERNAME'],
  userId: ['OS_USER_ID'],
  password: ['OS_PASSWORD'],
  userDomainName: ['OS_USER_DOMAIN_NAME'],
  userDomainId: ['OS_USER_DOMAIN_ID'],
  projectName: ['OS_PROJECT_NAME', 'OS_TENANT_NAME'],
  projectId: ['OS_PROJECT_ID', 'OS_TENANT_ID'],
  projectDomainName: ['OS_PROJECT_DOMAIN_NAME'],
  projectDomainId: ['OS_PROJECT_DOMAIN_ID'],
  domainName: ['OS_DOMAIN_NAME'],
  domainId: ['OS_DOMAIN_ID'],
  defaultDomain: ['OS_DEFAULT_DOMAIN'],
  systemScope: ['OS_SYSTEM_SCOPE'],
  credentialId: ['OS_APPLICATION_CREDENTIAL_ID'],
  credentialName: ['OS_APPLICATION_CREDENTIAL_NAME'],
  credentialSecret: ['OS_APPLICATION_CREDENTIAL_SECRET'],
  token: ['OS_TOKEN', 'OS_AUTH_TOKEN'],
  region: ['OS_REGION_NAME'],
  interface: ['OS_INTERFACE', 'OS_ENDPOINT_TYPE'],
  caFile: ['OS_CACERT'],
  certFile: ['OS_CERT'],
  keyFile: ['OS_KEY'],
  insecure: ['OS_INSECURE'],
  verify: [],
  apiVersion: ['OS_IDENTITY_API_VERSION'],
  endpoint: ['OS_ENDPOINT'],
  networkEndpoint: ['OS_NETWORK_ENDPOINT_OVERRIDE'],
}

/** The settings in environment variables. An empty variable counts as absent. */
export function settingsInEnvironment(variables: Readonly<Record<string, string | undefined>>): Settings {
  return pick((name) => ENVIRONMENT_NAMES[name].map((variable) => variables[variable]).find(isThere))
}

/** Settings by what `find` gives for each name; what is absent or empty is left out. */
export function pick(find: (name: SettingName) => string | undefined): Settings {
  return Object.fromEntries(
    SETTING_NAMES.flatMap((name) => {
      const value = find(name)
      return isThere(value) ? [[name, value] as const] : []
    }),
  )
}

function isThere(value: string | undefined): value is string {
  return value !== undefined && value !== ''
}
