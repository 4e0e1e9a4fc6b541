// Imports the packages named in its arguments, in a fresh process; prints one line of JSON. Plain JavaScript, so that
// no type stripping is measured with it.
const before = process.memoryUsage().rss;
const began = performance.now();
await Promise.all(process.argv.slice(2).map((name) => import(name)));
const importMs = performance.now() - began;
console.log(JSON.stringify({ importMs, importMb: (process.memoryUsage().rss - before) / 2 ** 20 }));
