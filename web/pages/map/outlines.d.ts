/** The address of the file that the build makes of the outlines of countries (scripts/build-dashboard.mjs). */
declare module 'outlines' {
  const file: string;
  export default file;
}
