/** A thread that reads a stretch of both tables and prepares signed advertisements for the store. */
import { openToRead } from '../database.js';
import { readStretch } from './stretch.js';
import { inThread } from './threads.js';

inThread('reader', ({ path, stretch }, say) => {
  const db = openToRead(path);
  try {
    readStretch(db, stretch, say);
  } finally {
    db.close();
  }
});
