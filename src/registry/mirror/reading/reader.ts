/** A thread that reads a stretch of both tables, and makes signed advertisements ready to be filed. */
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
