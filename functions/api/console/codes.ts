// What to do about the codes of deliveries and orders that ended badly. Others stand for themselves.

const advice: Readonly<Record<string, string>> = {
  KEY_NOT_UNDERSTOOD: "The object's key is no path in an archive. Put it under a key that is one.",
  PROJECT_NOT_FOUND: 'XNAT has no such project. Make it, then hand in again.',
  EXPERIMENT_NOT_FOUND: 'XNAT has no such session, and the object does not say of which type to make it.',
  SUBJECT_NOT_FOUND: 'XNAT has no such subject. Make it, then hand in again.',
  ASSESSOR_NOT_FOUND: 'XNAT has no such assessor, and the object does not say of which type to make it.',
  NO_EDIT_RIGHT: 'The service account may not write there. Give it the right, then hand in again.',
  OBJECT_TOO_LARGE: 'It is larger than one run can send.',
  OBJECT_MISSING: 'The object is no longer in S3.',
  ARCHIVE_NOT_READABLE: 'It is no whole archive, or an encrypted one. Put it anew.',
  SESSION_EXISTS: 'The session is there, and DICOM_OVERWRITE says to leave it alone.',
  SESSION_EMPTY: 'There were no files, or XNAT kept none of them.',
  XNAT_REFUSED: 'XNAT could not read one of the files.',
  SESSION_CONFLICT: "It clashes with what is there; it waits in XNAT's prearchive.",
  SESSION_NOT_ARCHIVED: 'XNAT could not archive it; the log of its prearchive says why.',
  SESSION_INCOMPLETE: 'XNAT lists fewer files than were sent.',
  SESSION_MISPLACED: 'XNAT put the session elsewhere.',
  SEVERAL_SESSIONS: 'XNAT made several sessions of it.',
  TRIES_SPENT: 'All tries failed or died. See the log of the function, then hand in again.',
  XNAT_UNREACHABLE: 'XNAT did not answer through all tries. Hand in again when it does.',
  XNAT_BUSY: 'XNAT was busy through all tries. Hand in again when it is less so.',
}

export const codeAdvice = (code: string) => advice[code] ?? ''
