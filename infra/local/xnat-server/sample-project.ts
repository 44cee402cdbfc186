import { Buffer } from 'node:buffer'

interface Site {
  url: string
  user: string
  password: string
}

/** A project with one session, scan and file, made the way a client would. Left alone when it is there already. */
export async function addSampleProject({ url, user, password }: Site): Promise<void> {
  const authorization = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
  const login = await fetch(`${url}/data/JSESSION`, { method: 'POST', headers: { authorization } })
  const headers = { cookie: `JSESSIONID=${await login.text()}` }
  const put = async (path: string, body?: string) => {
    const type = body === undefined ? {} : { 'content-type': 'text/plain' }
    const reply = await fetch(`${url}/data${path}`, {
      method: 'PUT',
      headers: { ...headers, ...type },
      body: body ?? null,
    })
    if (!reply.ok) throw new Error(`PUT ${path}: ${reply.status}`)
    await reply.arrayBuffer()
  }
  await put('/projects/SAMPLE')
  const session = '/projects/SAMPLE/subjects/S1/experiments/MR1'
  await put(`${session}?xsiType=xnat:mrSessionData&date=2024-01-31`)
  await put(`${session}/scans/1?xsiType=xnat:mrScanData&type=T1&quality=usable`)
  await put(`${session}/scans/1/resources/NOTES/files/readme.txt?inbody=true&overwrite=true`, 'A sample file.\n')
  await fetch(`${url}/data/JSESSION`, { method: 'DELETE', headers })
}
