import manifest from '../package.json' with { type: 'json' }

/** Weft's version. */
export const VERSION: string = manifest.version
