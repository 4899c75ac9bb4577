/**
 * The first lines of files of ours, by which they are known again.
 * @module
 */

/** Says whose a file is, and of which bridge. */
export function headerOf(bridge: string): string {
  return `# Written by \`weft bridge create ${bridge}\`; \`weft bridge remove ${bridge}\` takes it away.\n`
}

/** Whether a file is ours and of that bridge. */
export function isOurFile(content: string, bridge: string): boolean {
  return content.startsWith(headerOf(bridge))
}
