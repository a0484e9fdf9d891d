/**
 * Finds the script of a thread. `scripts/build.mjs` bundles each into one file of its own, because finding and loading many small modules would
 * take about half of a thread's start.
 * @param name A name from the build's table of threads.
 */
export function threadScript(name: string): URL {
  return new URL(`../threads/${name}.js`, import.meta.url);
}
