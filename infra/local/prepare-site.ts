// Sets a stand-in XNAT up as an administrator sets up a site for this product: over its REST API, once.
import * as z from 'zod'

export interface Site {
  url: string
  user: string
  password: string
}

/** The image under which the sample command is installed: what `DCM2NIIX_IMAGE` names by default. */
export const conversionImage = 'xnat/dcm2niix:latest'

const command = {
  name: 'dcm2niix',
  description: 'Converts DICOM to NIfTI',
  version: '1.0',
  type: 'docker',
  image: conversionImage,
  'command-line': 'dcm2niix /input',
  xnat: [
    {
      name: 'dcm2niix-scan',
      contexts: ['xnat:imageScanData'],
      'external-inputs': [{ name: 'scan', type: 'Scan' }],
    },
  ],
}

/** Enough to be a cohort that FLIP's data access service releases: ten or more. */
const sampleStudies = Array.from({ length: 12 }, (_, index) => ({
  accessionNumber: `SAMPLE${String(index + 1).padStart(3, '0')}`,
  modality: index % 3 === 0 ? 'CT' : 'MR',
}))

const Commands = z.array(z.object({ id: z.number(), xnat: z.array(z.object({ name: z.string() })) }))

/**
 * Installs the dcm2niix command, turns the Event Service on, and registers a PACS with sample studies, of which all
 * projects may import. Twice is once.
 */
export async function prepareSite(site: Site): Promise<void> {
  const installed = async () =>
    Commands.parse(await (await ask(site, 'GET', `/xapi/commands?image=${encodeURIComponent(conversionImage)}`)).json())
  if ((await installed()).length === 0) await ask(site, 'POST', '/xapi/commands', command)
  for (const { id, xnat } of await installed()) {
    for (const { name } of xnat) await ask(site, 'PUT', `/xapi/commands/${id}/wrappers/${name}/enabled`)
  }
  await ask(site, 'PUT', '/xapi/events/prefs', { enabled: true })
  await ask(site, 'POST', '/__stand-in/pacs', {})
  await ask(site, 'POST', '/__stand-in/pacs/studies', sampleStudies)
  // DQR looks into its queue each minute by default, which is long for somebody who watches.
  const settings = { allowAllProjectsToUseDqr: 'true', pacsAvailabilityCheckFrequency: '5 seconds' }
  await ask(site, 'POST', '/xapi/dqr/settings', settings)
}

async function ask({ url, user, password }: Site, method: string, path: string, body?: unknown): Promise<Response> {
  const response = await fetch(url + path, {
    method,
    headers: {
      authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`,
      'content-type': 'application/json',
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`)
  return response
}
