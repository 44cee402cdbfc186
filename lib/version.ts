import manifest from '../package.json' with { type: 'json' }

/** The product's version, for `/health` and the User-Agent. */
export const version: string = manifest.version
