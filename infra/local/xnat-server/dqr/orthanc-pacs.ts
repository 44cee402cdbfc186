// A real Orthanc in the PACS's place, over its REST: what DQR does by C-FIND and C-MOVE is done by find and download.
import * as z from 'zod'
import { matchesStudy } from './matching.ts'
import { type FindKeys, type FoundSeries, type FoundStudy, PacsFailure, type RemotePacs } from './remote-pacs.ts'

const Tags = z.record(z.string(), z.string())
const OrthancStudy = z.object({ ID: z.string(), MainDicomTags: Tags, PatientMainDicomTags: Tags })
type OrthancStudy = z.infer<typeof OrthancStudy>
const OrthancSeries = z.object({ ID: z.string(), MainDicomTags: Tags })
type OrthancSeries = z.infer<typeof OrthancSeries>
const OrthancInstance = z.object({ ID: z.string() })

const pingTimeoutMs = 5000

export class OrthancPacs implements RemotePacs {
  readonly #url: string

  /** `url`: of its REST, `http://host:port` without a slash at the end. */
  constructor(url: string) {
    this.#url = url
  }

  async isUp(): Promise<boolean> {
    try {
      return (await fetch(`${this.#url}/system`, { signal: AbortSignal.timeout(pingTimeoutMs) })).ok
    } catch (error) {
      // Refused, unknown, timed out: a PACS that does not answer, whatever the reason.
      if (error instanceof Error) return false
      throw error
    }
  }

  async findStudies(keys: FindKeys): Promise<FoundStudy[]> {
    const { modality, ...own } = keys
    const found = await Promise.all((await this.#find(own)).map((study) => this.#describe(study)))
    // Orthanc keeps no modalities with a study: they are its series'.
    return modality === undefined
      ? found
      : found.filter((study) => matchesStudy(study, { modality }, { foldsCase: true }))
  }

  async findSeries(studyInstanceUid: string): Promise<FoundSeries[]> {
    return (await this.#seriesOf(studyInstanceUid)).map(({ MainDicomTags: tags }) => ({
      seriesInstanceUid: tags['SeriesInstanceUID'] ?? '',
      seriesNumber: tags['SeriesNumber'] ?? '',
      modality: tags['Modality'] ?? '',
      seriesDescription: tags['SeriesDescription'] ?? '',
    }))
  }

  async *retrieve(studyInstanceUid: string, seriesInstanceUids: readonly string[]): AsyncGenerator<Buffer> {
    for (const { ID, MainDicomTags: tags } of await this.#seriesOf(studyInstanceUid)) {
      if (!seriesInstanceUids.includes(tags['SeriesInstanceUID'] ?? '')) continue
      for (const instance of await this.#json(`/series/${ID}/instances`, z.array(OrthancInstance))) {
        yield await this.#file(instance.ID)
      }
    }
  }

  #find(keys: FindKeys): Promise<OrthancStudy[]> {
    const query = {
      PatientID: keys.patientId,
      PatientName: keys.patientName,
      PatientBirthDate: keys.patientBirthDate,
      AccessionNumber: keys.accessionNumber,
      StudyInstanceUID: keys.studyInstanceUid,
      StudyID: keys.studyId,
      StudyDate: keys.studyDate,
    }
    const body = JSON.stringify({ Level: 'Study', Expand: true, Query: query })
    return this.#json('/tools/find', z.array(OrthancStudy), { method: 'POST', body })
  }

  async #describe({ ID, MainDicomTags: tags, PatientMainDicomTags: patient }: OrthancStudy): Promise<FoundStudy> {
    const series = await this.#json(`/studies/${ID}/series`, z.array(OrthancSeries))
    return {
      studyInstanceUid: tags['StudyInstanceUID'] ?? '',
      studyId: tags['StudyID'] ?? '',
      studyDescription: tags['StudyDescription'] ?? '',
      accessionNumber: tags['AccessionNumber'] ?? '',
      studyDate: tags['StudyDate'] ?? '',
      modalitiesInStudy: [...new Set(series.flatMap(({ MainDicomTags }) => MainDicomTags['Modality'] ?? []))],
      referringPhysicianName: tags['ReferringPhysicianName'] ?? '',
      patientId: patient['PatientID'] ?? '',
      patientName: patient['PatientName'] ?? '',
      patientSex: patient['PatientSex'] ?? '',
      patientBirthDate: patient['PatientBirthDate'] ?? '',
    }
  }

  async #seriesOf(studyInstanceUid: string): Promise<OrthancSeries[]> {
    const [study] = await this.#find({ studyInstanceUid })
    return study === undefined ? [] : this.#json(`/studies/${study.ID}/series`, z.array(OrthancSeries))
  }

  async #file(instanceId: string): Promise<Buffer> {
    const reply = await this.#send(`/instances/${instanceId}/file`)
    return Buffer.from(await reply.arrayBuffer())
  }

  async #json<T>(path: string, schema: z.ZodType<T>, init?: RequestInit): Promise<T> {
    return schema.parse(await (await this.#send(path, init)).json())
  }

  /** @throws {PacsFailure} when there is no answer, or not the wanted one. */
  async #send(path: string, init?: RequestInit): Promise<Response> {
    const reply = await fetch(`${this.#url}${path}`, init).catch((cause: unknown) => {
      throw new PacsFailure('Connection refused (Connection refused)', { cause })
    })
    if (!reply.ok) throw new PacsFailure(`Orthanc answered ${path} with ${reply.status}`)
    return reply
  }
}

/** The REST address `orthanc://host:port` stands for. */
export function orthancUrl(address: string): string {
  const host = /^orthanc:\/\/([^/\s]+:\d+)\/?$/.exec(address)?.[1]
  if (host === undefined) throw new Error(`${address} is no orthanc://host:port`)
  return `http://${host}`
}
