// The files of a session that is not archived yet: SCANS/<scan>/DICOM/<file> below a folder of its own.
import { existsSync, readdirSync, rmSync } from 'node:fs'
import { mkdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type Instance, readInstance } from '../dicom/instance.ts'
import { fileNameOf, isFileName, scanFolderOf } from '../dicom/names.ts'
import type { Xnat } from '../exchange.ts'
import { HttpFailure } from '../http-failure.ts'
import { exists } from '../stored-file.ts'

type Archive = Pick<Xnat, 'archive'>

/** Of the form of a session's folder in the archive. */
export function receivedFolder({ archive }: Archive, receivedId: number): string {
  return join(archive.received, String(receivedId))
}

export function receivedFile(xnat: Archive, receivedId: number, scanId: string, name: string): string {
  return join(receivedFolder(xnat, receivedId), 'SCANS', scanId, 'DICOM', name)
}

export function receivedScans(xnat: Archive, receivedId: number): string[] {
  return listed(join(receivedFolder(xnat, receivedId), 'SCANS'))
}

export function receivedFiles(xnat: Archive, receivedId: number, scanId: string): string[] {
  return listed(receivedFile(xnat, receivedId, scanId, ''))
}

interface Arrival {
  receivedId: number
  instance: Instance
  /** As the sender named it. */
  name: string
  /** Whether the server is to name it. */
  rename: boolean
  /** Where its bytes are; they are moved from there. */
  spoolPath: string
}

/** @throws {HttpFailure} 400 while another file of that name is put there (PrearcUtils.java lockFile). */
export async function placeInstance(xnat: Archive, arrival: Arrival): Promise<void> {
  const { receivedId, instance, spoolPath } = arrival
  const { locks } = xnat.archive
  const scanId = scanFolderOf(instance)
  const lock = receivedFile(xnat, receivedId, scanId, arrival.name)
  if (locks.has(lock)) throw new HttpFailure(400, 'Concurrent file sends of the same data is not supported.')
  locks.add(lock)
  try {
    const name = await freeName(xnat, scanId, arrival)
    await mkdir(receivedFile(xnat, receivedId, scanId, ''), { recursive: true })
    await rename(spoolPath, receivedFile(xnat, receivedId, scanId, name))
  } finally {
    locks.delete(lock)
  }
}

// XNAT: the sender's name is kept, unless it is none or belongs to another instance (GradualDicomImporter.java getSafeFile).
async function freeName(xnat: Archive, scanId: string, { receivedId, instance, name, rename }: Arrival) {
  const safe = fileNameOf(instance)
  const asked = name.replace(/[^\w.-]/g, '_')
  if (rename || !isFileName(asked)) return safe
  const path = receivedFile(xnat, receivedId, scanId, asked)
  if (!exists(path)) return asked
  const present = await readInstance(path)
  const isSame = present?.sopInstanceUid === instance.sopInstanceUid && present.sopClassUid === instance.sopClassUid
  return isSame ? asked : safe
}

export async function moveReceivedFile(xnat: Archive, from: ReceivedFile, to: ReceivedFile): Promise<void> {
  await mkdir(receivedFile(xnat, to.receivedId, to.scanId, ''), { recursive: true })
  await rename(
    receivedFile(xnat, from.receivedId, from.scanId, from.name),
    receivedFile(xnat, to.receivedId, to.scanId, to.name),
  )
}

interface ReceivedFile {
  receivedId: number
  scanId: string
  name: string
}

export async function discardScan(xnat: Archive, receivedId: number, scanId: string): Promise<void> {
  await rm(join(receivedFile(xnat, receivedId, scanId, ''), '..'), { recursive: true, force: true })
}

/** At once: for folders that are empty, as a rule, the asynchronous way takes many times as long. */
export function discardReceived(xnat: Archive, receivedId: number): void {
  rmSync(receivedFolder(xnat, receivedId), { recursive: true, force: true })
}

function listed(folder: string): string[] {
  const names = existsSync(folder) ? readdirSync(folder) : []
  return names.toSorted((one, other) => one.localeCompare(other, 'en', { numeric: true }))
}
