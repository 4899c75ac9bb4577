/**
 * The version that the server gives itself.
 * @module
 */

/**
 * The API's version is Kubernetes 1.32's, as clients compare theirs with it; the suffix says who answers.
 *
 * @param architecture as Node names it
 */
export function serverVersion(architecture: string): Readonly<Record<string, string>> {
  return {
    major: '1',
    minor: '32',
    gitVersion: 'v1.32.0+weft',
    gitCommit: '',
    gitTreeState: '',
    buildDate: '1970-01-01T00:00:00Z',
    goVersion: '',
    compiler: 'bun',
    platform: `linux/${architecture === 'x64' ? 'amd64' : architecture}`,
  }
}
