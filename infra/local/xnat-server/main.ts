// `npm run xnat`: a stand-in XNAT with a sample project, until Ctrl-C. With PACS=orthanc://host:port its project
// imports from that Orthanc, else from a simulated PACS.
import { parseArgs } from 'node:util'
import { addSampleProject } from './sample-project.ts'
import { startXnat, type XnatServer } from './server.ts'

const { values } = parseArgs({ options: { port: { type: 'string' }, keep: { type: 'string' } } })

async function startOnFreePort(): Promise<XnatServer> {
  const orthanc = process.env['PACS']
  const given = {
    ...(values.keep !== undefined && { dataDir: values.keep }),
    ...(orthanc !== undefined && { orthanc }),
  }
  if (values.port !== undefined) return startXnat({ ...given, port: Number(values.port) })
  for (let port = 8080; ; port += 1) {
    try {
      return await startXnat({ ...given, port })
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') || port > 8180) throw error
    }
  }
}

const xnat = await startOnFreePort()
// Before the first line is printed: who reads it may end the program at once.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void xnat.stop())
await addSampleProject(xnat)
xnat.pacs.register({ projects: ['SAMPLE'] })
if (process.env['PACS'] === undefined)
  xnat.pacs.add({ accessionNumber: 'ACC1' }, { accessionNumber: 'ACC2', modality: 'CT' })

console.log(`XNAT (stand-in)  ${xnat.url}
user             ${xnat.user}
password         ${xnat.password}

curl -u ${xnat.user}:${xnat.password} '${xnat.url}/data/projects?format=json'
curl -u ${xnat.user}:${xnat.password} '${xnat.url}/data/projects/SAMPLE/subjects/S1/experiments/MR1/scans/1/files'
curl -u ${xnat.user}:${xnat.password} -H 'Content-Type: application/json' -d '{"accessionNumber":"ACC*"}' ${xnat.url}/xapi/dqr/query/studies

${values.keep === undefined ? 'Everything is removed at the end; --keep DIR keeps it.' : `Kept in ${values.keep}.`} Ctrl-C ends it.`)
