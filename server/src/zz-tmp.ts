import { enableCompileCache, getCompileCacheDir } from 'node:module';
import { Worker } from 'node:worker_threads';
if (process.argv[2] === 'fn') console.log(enableCompileCache('/tmp/coltests/cc2'));
if (process.argv[2] === 'env') process.env.NODE_COMPILE_CACHE = '/tmp/coltests/cc2';
const t = process.cpuUsage();
for (let i = 0; i < 10; i++) {
  const w = new Worker(new URL('file:///work/main/server/src/storage/columnar/query-worker.ts'));
  await new Promise((r) => w.once('online', r));
  await new Promise(r => setTimeout(r, 300));
  await w.terminate();
}
console.log(process.argv[2], process.cpuUsage(t));
