/** Keys that S3 allows and that addresses, paths and XML are easily wrong about. */
export const awkwardKeys = [
  '..',
  '../../escape',
  '/leading',
  'a//b',
  'a/./b/../c',
  'trailing/',
  ' space at both ends ',
  'plus+and%2Fpercent%',
  'quo"te\'s & <tags> (!*)',
  'question?mark#hash',
  'Grüße/日本語/🩻',
  'tab\tand\nline\rbreak',
  'control\u0001\u007f',
  'x'.repeat(1024),
]
