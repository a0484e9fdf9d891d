/**
 * The base of the library's own limiters, which its main module does not export. What is declared here is what a limiter
 * with a store of its own has to bring along.
 */
declare module 'rate-limiter-flexible/lib/RateLimiterStoreAbstract.js' {
  import type { RateLimiterRes, RateLimiterStoreAbstract } from 'rate-limiter-flexible';

  abstract class Store extends RateLimiterStoreAbstract {
    /** Adds points, in a new window of so many milliseconds where there is none, or where it is to begin anew. */
    protected abstract _upsert(
      key: string,
      points: number,
      msDuration: number,
      beginAnew: boolean,
    ): Promise<unknown>;
    protected abstract _get(key: string): Promise<unknown>;
    protected abstract _delete(key: string): Promise<boolean>;
    /** @param stored What `_upsert` or `_get` resolved with. */
    protected abstract _getRateLimiterRes(
      key: string,
      changedPoints: number,
      stored: unknown,
    ): RateLimiterRes;
  }

  export default Store;
}
