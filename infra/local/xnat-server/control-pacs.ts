// /__stand-in/pacs: what is in the simulated PACS, and DQR set up around it in one step.
import * as z from 'zod'
import type { ControlCall, ControlRoutes } from './control.ts'
import { decree, Fate } from './dqr/fates.ts'
import { studiesIn } from './dqr/pacs-folder.ts'
import { PacsStudyOrder, studyFrom } from './dqr/pacs-study.ts'
import { DqrSetUp, setUpDqr } from './dqr/set-up.ts'
import { emptyReply, jsonReply, type Reply } from './reply.ts'

export const pacsControls: ControlRoutes = {
  'GET pacs/studies': ({ xnat }) => jsonReply(xnat.state.dqr.pacsStudies.all()),
  'POST pacs/studies': addStudies,
  'PATCH pacs/studies': changeFates,
  'DELETE pacs/studies': removeStudies,
  'POST pacs/folder': addFolder,
  'POST pacs': setUp,
}

async function addStudies({ xnat, readBody }: ControlCall): Promise<Reply> {
  const orders = await readBody(z.union([z.array(PacsStudyOrder), PacsStudyOrder.transform((order) => [order])]))
  return jsonReply(orders.map((order) => xnat.state.dqr.pacsStudies.put(studyFrom(order))))
}

async function changeFates({ xnat, readBody }: ControlCall): Promise<Reply> {
  const order = z.strictObject({ fate: Fate, accessionNumbers: z.array(z.string()).optional() })
  const { fate, accessionNumbers } = await readBody(order)
  return jsonReply({ studies: decree(xnat.state, fate, accessionNumbers) })
}

function removeStudies({ xnat }: ControlCall): Reply {
  const { pacsStudies } = xnat.state.dqr
  for (const { studyInstanceUid } of pacsStudies.all()) pacsStudies.delete(studyInstanceUid)
  return emptyReply(204)
}

/** DICOM files on this machine; they must stay where they are. */
async function addFolder({ xnat, readBody }: ControlCall): Promise<Reply> {
  const { path } = await readBody(z.strictObject({ path: z.string() }))
  return jsonReply((await studiesIn(path)).map((study) => xnat.state.dqr.pacsStudies.put(study)))
}

async function setUp({ xnat, readBody }: ControlCall): Promise<Reply> {
  return jsonReply(setUpDqr(xnat, await readBody(DqrSetUp)))
}
