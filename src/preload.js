// Loaded in front of the service, before any module of it is: `node --import ./src/preload.js src/main.ts`. Plain JavaScript,
// since an older Node, which is to be told so, cannot read TypeScript.
import './node-version.js';
import { existsSync, mkdirSync } from 'node:fs';
import module from 'node:module';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';

// The engine's last and dearest optimisation is for what is called this often, not for everything that was called 3,000 times:
// that was a sixth of the processor time of the first minutes, and nothing was slower without.
setFlagsFromString('--invocation-count-for-turbofan=100000');

// Node keeps what it compiles, TypeScript without its types included, and need not do it again at the next start. In the data
// directory, because nobody else may write there: what is read from it is run. Node writes each file under another name first.
// NODE_COMPILE_CACHE goes before, NODE_DISABLE_COMPILE_CACHE=1 switches it off.
try {
  if (existsSync('.env')) process.loadEnvFile('.env');
} catch {
  // The configuration says so, with its remedy.
}
const dataDir = process.env.DATA_DIR?.trim() || 'data';
const compiled = join(dataDir, 'compiled');
try {
  // Folder by folder: asked for a whole path, Node tries for ever where there is no making any (/proc).
  for (const folder of [dataDir, compiled]) if (!existsSync(folder)) mkdirSync(folder, { mode: 0o700 });
  module.enableCompileCache(compiled);
} catch {
  // The start is slower, and nothing else: what else the directory is needed for is not for here to judge.
}
