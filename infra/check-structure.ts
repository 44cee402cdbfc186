// Holds the tree to its layout: which way imports point, and who alone may touch what. Run by `npm run structure`.
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'

/** What each part of the tree may import of ours. The longest matching place decides; tests may import anything. */
const mayImport: Record<string, readonly string[]> = {
  'functions/': [
    'functions/',
    'lib/handler.ts',
    'lib/wire.ts',
    'lib/version.ts',
    'lib/services/',
    'lib/delivery/',
    'lib/imports/',
    'lib/images/',
  ],
  'functions/cli/': [
    'functions/cli/',
    'lib/services/',
    'lib/imports/study-state.ts',
    'lib/in-parts.ts',
    'lib/delivery/',
    'lib/aws/',
    'lib/errors.ts',
    'lib/retry.ts',
    'lib/json.ts',
    'lib/version.ts',
  ],
  // What speaks to an XNAT itself, where the rest of the command line speaks to the API.
  'functions/cli/xnat-doctor/': [
    'functions/cli/',
    'lib/xnat/',
    'lib/provisioning/',
    'lib/imports/pacs-readiness.ts',
    'lib/config.ts',
    'lib/errors.ts',
    'lib/json.ts',
  ],
  // What runs in browsers, and in it what it may know of the server.
  'functions/api/console/': ['functions/api/console/', 'lib/imports/study-state.ts'],
  'functions/api/console/answers.ts': ['functions/api/', 'lib/services/', 'lib/delivery/'],
  'functions/api/documentation.ts': [
    'functions/api/',
    'lib/handler.ts',
    'lib/openapi.ts',
    'lib/wire.ts',
    'lib/version.ts',
  ],
  'lib/openapi.ts': ['lib/handler.ts'],
  'lib/handler.ts': [
    'lib/errors.ts',
    'lib/wire.ts',
    'lib/log.ts',
    'lib/api-answers.ts',
    'lib/api-errors.ts',
    'lib/service-key.ts',
    'lib/queue-messages.ts',
  ],
  'lib/wire.ts': [
    'lib/config.ts',
    'lib/last-words.ts',
    'lib/log.ts',
    'lib/metrics.ts',
    'lib/xnat-metrics.ts',
    'lib/secrets.ts',
    'lib/xnat/',
    'lib/aws/',
    'lib/data-access/',
  ],
  'lib/last-words.ts': ['lib/log.ts'],
  'lib/config.ts': ['lib/secrets.ts', 'lib/errors.ts'],
  'lib/secrets.ts': ['lib/envelope.ts', 'lib/errors.ts', 'lib/json.ts', 'lib/log.ts'],
  'lib/xnat-metrics.ts': ['lib/metrics.ts', 'lib/xnat/'],
  'lib/queue-messages.ts': [
    'lib/in-parts.ts',
    'lib/errors.ts',
    'lib/json.ts',
    'lib/wire.ts',
    'lib/log.ts',
    'lib/retry.ts',
    'lib/aws/',
  ],
  'lib/services/': [
    'lib/xnat/',
    'lib/aws/',
    'lib/dicom/',
    'lib/delivery/',
    'lib/provisioning/',
    'lib/imports/',
    'lib/data-access/',
    'lib/images/',
    'lib/in-parts.ts',
    'lib/envelope.ts',
    'lib/retry.ts',
    'lib/errors.ts',
    'lib/json.ts',
    'lib/log.ts',
  ],
  'lib/imports/': [
    'lib/in-parts.ts',
    'lib/imports/',
    'lib/xnat/',
    'lib/aws/',
    'lib/errors.ts',
    'lib/json.ts',
    'lib/log.ts',
  ],
  'lib/images/': [
    'lib/in-parts.ts',
    'lib/images/',
    'lib/delivery/',
    'lib/xnat/',
    'lib/aws/',
    'lib/envelope.ts',
    'lib/errors.ts',
  ],
  'lib/provisioning/': ['lib/provisioning/', 'lib/xnat/', 'lib/aws/', 'lib/envelope.ts', 'lib/errors.ts'],
  'lib/delivery/': ['lib/in-parts.ts', 'lib/delivery/', 'lib/xnat/', 'lib/aws/', 'lib/errors.ts'],
  'lib/xnat/': ['lib/xnat/', 'lib/dicom/', 'lib/retry.ts', 'lib/errors.ts', 'lib/json.ts', 'lib/version.ts'],
  'lib/data-access/': ['lib/data-access/', 'lib/envelope.ts', 'lib/retry.ts', 'lib/errors.ts', 'lib/json.ts'],
  'lib/aws/': ['lib/in-parts.ts', 'lib/aws/', 'lib/retry.ts', 'lib/errors.ts'],
  'lib/version.ts': ['package.json'],
  'lib/': ['lib/errors.ts', 'lib/json.ts'],
  'infra/local/xnat-server/': ['infra/local/xnat-server/'],
  'infra/local/s3-server/': ['infra/local/s3-server/'],
  'infra/local/run-functions/': ['infra/local/run-functions/'],
  'infra/simulate/': ['infra/simulate/', 'infra/local/run-functions/', 'lib/config.ts'],
  'infra/write-openapi.ts': ['functions/api/documentation.ts'],
  'infra/': ['infra/', 'lib/'],
}

/** Packages that these places alone may import, in the code that is deployed. */
const onlyImporters: Record<string, readonly string[]> = {
  '@aws-sdk/': ['lib/aws/'],
  '@smithy/': ['lib/aws/'],
  undici: ['lib/xnat/client.ts', 'lib/data-access/client.ts'],
  'fast-xml-parser': ['lib/xnat/xml.ts'],
  '@middy/': ['lib/handler.ts'],
  'zod-openapi': ['lib/openapi.ts'],
}

/** Files that may import types alone: a value would bring the server into the page. */
const typesOnly = ['functions/api/console/answers.ts']

/** Who reads the environment: the settings, and on a developer's machine the programs that are started by hand. */
const environmentReaders = [
  'lib/config.ts',
  'functions/cli/conduit.ts',
  'functions/cli/xnat-doctor.ts',
  'infra/local/start.ts',
  'infra/local/xnat-server/main.ts',
  'infra/local/run-functions/lambda-variables.ts',
  'infra/check-structure.ts',
  'test/',
]

interface Import {
  specifier: string
  isType: boolean
}

/** Every breach of the layout in the sources below `root`, one sentence each. */
export function structureFaults(root: string): string[] {
  const files = globSync(['{functions,lib,infra,test}/**/*.ts', 'functions/**/*.tsx'], { cwd: root }).sort()
  const values = new Map<string, string[]>()
  const faults = files.flatMap((file) => {
    const source = readFileSync(join(root, file), 'utf8')
    const imports = importsOf(source)
    values.set(
      file,
      imports.filter(({ isType }) => !isType).flatMap(({ specifier }) => localTarget(file, specifier) ?? []),
    )
    return [...imports.flatMap((each) => importFaults(file, each)), ...environmentFaults(file, source)]
  })
  return [...faults, ...cycles(values)]
}

function importsOf(source: string): Import[] {
  const statements = source.matchAll(/^(?:import|export)\s+(type\s+)?(?:[^'"`;]*?\sfrom\s+)?'([^']+)'/gm)
  const dynamic = source.matchAll(/\bimport\(\s*'([^']+)'/g)
  return [
    ...[...statements].map(([, type, specifier = '']) => ({ specifier, isType: type !== undefined })),
    ...[...dynamic].map(([, specifier = '']) => ({ specifier, isType: false })),
  ]
}

const localTarget = (file: string, specifier: string) =>
  specifier.startsWith('.') ? join(dirname(file), specifier) : undefined

function importFaults(file: string, { specifier, isType }: Import): string[] {
  if (typesOnly.includes(file) && !isType) return [`${file} imports more than types of ${specifier}`]
  const target = localTarget(file, specifier)
  return target === undefined ? packageFaults(file, specifier) : directionFaults(file, target)
}

function directionFaults(file: string, target: string): string[] {
  const place = Object.keys(mayImport)
    .filter((start) => file.startsWith(start))
    .toSorted((a, b) => b.length - a.length)[0]
  const allowed = place === undefined ? undefined : mayImport[place]
  if (allowed === undefined || allowed.some((start) => target.startsWith(start))) return []
  return [`${file} imports ${target}: ${place} may import only ${allowed.join(', ')}`]
}

function packageFaults(file: string, specifier: string): string[] {
  if (!file.startsWith('lib/') && !file.startsWith('functions/')) return []
  return Object.entries(onlyImporters)
    .filter(([name, places]) => isOfPackage(specifier, name) && !places.some((place) => file.startsWith(place)))
    .map(([name, places]) => `${file} imports ${specifier}: only ${places.join(', ')} may import ${name}`)
}

const isOfPackage = (specifier: string, name: string) =>
  name.endsWith('/') ? specifier.startsWith(name) : specifier === name || specifier.startsWith(`${name}/`)

function environmentFaults(file: string, source: string): string[] {
  const reads = /\bprocess\s*\.\s*env\b|import\s*\{[^}]*\benv\b[^}]*\}\s*from\s*'node:process'/.test(source)
  const allowed = environmentReaders.some((place) => file.startsWith(place))
  return reads && !allowed ? [`${file} reads process.env: only lib/config.ts may`] : []
}

/** Circles among imports of values; each is told once, from its first file in alphabetical order. */
function cycles(graph: ReadonlyMap<string, readonly string[]>): string[] {
  const done = new Set<string>()
  const found: string[] = []
  const visit = (file: string, trail: readonly string[]) => {
    const start = trail.indexOf(file)
    if (start >= 0) {
      found.push(`import cycle: ${[...trail.slice(start), file].join(' -> ')}`)
      return
    }
    if (done.has(file)) return
    for (const next of graph.get(file) ?? []) visit(next, [...trail, file])
    done.add(file)
  }
  for (const file of graph.keys()) visit(file, [])
  return found
}

if (import.meta.main) {
  const root = relative(process.cwd(), join(import.meta.dirname, '..')) || '.'
  const faults = structureFaults(root)
  for (const fault of faults) console.error(fault)
  console.log(faults.length === 0 ? 'structure: as it should be' : `structure: ${faults.length} faults`)
  process.exitCode = faults.length === 0 ? 0 : 1
}
