/** The thread that checks the file while others read it. */
import { checkStructure, openToRead } from '../database.js';
import { inThread } from './threads.js';

inThread('checker', (path) => {
  const db = openToRead(path);
  try {
    checkStructure(db);
  } finally {
    db.close();
  }
});
