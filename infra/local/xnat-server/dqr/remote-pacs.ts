// What DQR wants of a PACS: an echo, finds and a move.
import * as z from 'zod'

/** Study attributes as a PACS gives them: DICOM dates and names, nothing for what is empty. */
export interface FoundStudy {
  studyInstanceUid: string
  studyId: string
  studyDescription: string
  accessionNumber: string
  studyDate: string
  modalitiesInStudy: string[]
  referringPhysicianName: string
  patientId: string
  patientName: string
  patientSex: string
  patientBirthDate: string
}

export interface FoundSeries {
  seriesInstanceUid: string
  seriesNumber: string
  modality: string
  seriesDescription: string
}

/** Matching keys of a find; a key that is absent matches everything. Dates are `yyyyMMdd`, `-` between two. */
export const FindKeys = z
  .object({
    patientId: z.string(),
    patientName: z.string(),
    patientBirthDate: z.string(),
    accessionNumber: z.string(),
    studyInstanceUid: z.string(),
    studyId: z.string(),
    studyDate: z.string(),
    modality: z.string(),
  })
  .partial()
export type FindKeys = z.infer<typeof FindKeys>

export interface RemotePacs {
  isUp(): Promise<boolean>
  findStudies(keys: FindKeys): Promise<FoundStudy[]>
  findSeries(studyInstanceUid: string): Promise<FoundSeries[]>
  /**
   * The instances of some series, one after the other.
   *
   * @throws {PacsFailure} when the PACS breaks off; what came before has come.
   * @throws {PacsSilence} when it would never end.
   */
  retrieve(studyInstanceUid: string, seriesInstanceUids: readonly string[]): AsyncIterable<Buffer>
}

/** What a PACS, or the way to it, does not do. */
export class PacsFailure extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'PacsFailure'
  }
}

/** The PACS goes silent in the midst of a retrieve and neither sends nor ends. */
export class PacsSilence extends Error {
  /** Whether nobody waits for it any more either. */
  readonly losesThread: boolean

  constructor({ losesThread }: { losesThread: boolean }) {
    super('the PACS does not answer any more')
    this.name = 'PacsSilence'
    this.losesThread = losesThread
  }
}
