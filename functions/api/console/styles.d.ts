// Style sheets are imported for what they do, not for what they are.
declare module '*.css'
