// Everything that has resources, by path (XNATApplication.java).
const sessions = [
  '/experiments/{ASSESSED_ID}',
  '/projects/{PROJECT_ID}/subjects/{SUBJECT_ID}/experiments/{ASSESSED_ID}',
]
const belowSessions = sessions.flatMap((session) => [
  `${session}/scans/{SCAN_ID}`,
  `${session}/assessors/{EXPT_ID}`,
  `${session}/assessors/{EXPT_ID}/{TYPE}`,
])

export const resourcePaths = [
  '/projects/{PROJECT_ID}',
  '/projects/{PROJECT_ID}/subjects/{SUBJECT_ID}',
  '/projects/{PROJECT_ID}/experiments/{EXPT_ID}',
  '/projects/{PROJECT_ID}/subjects/{SUBJECT_ID}/experiments/{EXPT_ID}',
  '/experiments/{EXPT_ID}',
  '/subjects/{SUBJECT_ID}',
  ...belowSessions,
]

/** Where `/files` works without a resource. XNAT leaves one out: a project's experiment has no `/files`. */
export const filePaths = resourcePaths.filter((path) => path !== '/projects/{PROJECT_ID}/experiments/{EXPT_ID}')
