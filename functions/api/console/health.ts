// Whether the API, XNAT and the PACS answer, told from as few questions as that takes.
import { ApiFailure, type Heard, listProjects, pingPacs, readHealth } from './api.ts'

export type Standing = 'well' | 'ill' | 'unknown'

export interface Part {
  standing: Standing
  text: string
}

export interface HealthReport {
  api: Part
  xnat: Part
  pacs: Part
}

const unknown: Part = { standing: 'unknown', text: 'Nothing can be said while that before it does not answer.' }

/** Never fails: what cannot be reached is what there is to tell. */
export async function readHealthReport(options: { signal: AbortSignal }): Promise<Heard<HealthReport>> {
  const value = await look(options)
  return { value, text: JSON.stringify(value) }
}

async function look(options: { signal: AbortSignal }): Promise<HealthReport> {
  const health = await orFailure(readHealth(options))
  if (health instanceof ApiFailure) {
    return { api: { standing: 'ill', text: health.message }, xnat: unknown, pacs: unknown }
  }
  const api: Part = { standing: 'well', text: `Answers; version ${health.value.version}.` }
  const ping = await orFailure(pingPacs(options))
  const well: Part = { standing: 'well', text: 'Answers.' }
  if (!(ping instanceof ApiFailure)) return { api, xnat: well, pacs: pacsPart(ping.value) }
  if (ping.status === 404) return { api, xnat: well, pacs: { standing: 'ill', text: 'XNAT knows no PACS.' } }
  // Whether it is XNAT or only what lies behind it, another question to XNAT tells.
  const listing = await orFailure(listProjects({ ...options, query: { limit: 1 } }))
  if (listing instanceof ApiFailure) return { api, xnat: { standing: 'ill', text: listing.message }, pacs: unknown }
  return { api, xnat: well, pacs: { standing: 'ill', text: ping.message } }
}

function pacsPart({ pacsId, successful, enabled }: { pacsId: number; successful: boolean; enabled: boolean }): Part {
  if (!enabled) return { standing: 'ill', text: `PACS ${pacsId} is disabled in XNAT.` }
  return successful
    ? { standing: 'well', text: `PACS ${pacsId} answers XNAT's ping.` }
    : { standing: 'ill', text: `PACS ${pacsId} does not answer XNAT's ping.` }
}

async function orFailure<T>(asked: Promise<T>): Promise<T | ApiFailure> {
  try {
    return await asked
  } catch (error) {
    if (error instanceof ApiFailure) return error
    throw error
  }
}
