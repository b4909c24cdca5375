// npm start: the page, and what it asks. PORT, HOST
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';
import { BusyError, createJail } from 'codejail';
import { judge, task } from './judge.mjs';

const LONGEST = 64 * 1024;
// The page loads nothing from elsewhere, and nothing that a program prints can be taken for a part of it.
const HEADERS = {
  'content-security-policy':
    "default-src 'none'; img-src data:; script-src 'self'; style-src 'self'; connect-src 'self'",
  'x-content-type-options': 'nosniff',
  'cache-control': 'no-store',
};

const page = (name, type) => ({
  type: `${type}; charset=utf-8`,
  body: readFileSync(new URL(`page/${name}`, import.meta.url)),
});
const PAGES = new Map([
  ['/', page('index.html', 'text/html')],
  ['/page.js', page('page.js', 'text/javascript')],
  ['/page.css', page('page.css', 'text/css')],
  [
    '/task',
    { type: 'application/json', body: JSON.stringify({ title: task.title, text: task.text }) },
  ],
]);

function answer(response, status, type, body, headers = {}) {
  response.writeHead(status, { ...HEADERS, 'content-type': type, ...headers }).end(body);
}

/** The body as text; undefined where it is too long. */
async function read(request) {
  const chunks = [];
  let length = 0;
  for await (const chunk of request) {
    length += chunk.length;
    if (length > LONGEST) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

/** A line of JSON for each thing that happens, as it does. */
async function run(jail, request, response) {
  const code = await read(request);
  if (code === undefined) {
    return answer(response, 413, 'text/plain', 'The program is too long.', { connection: 'close' });
  }
  const gone = new AbortController();
  response.once('close', () => gone.abort(new Error('the page has gone')));
  const tell = (event) => {
    if (!response.headersSent) {
      response.writeHead(200, { ...HEADERS, 'content-type': 'application/x-ndjson' });
    }
    response.write(`${JSON.stringify(event)}\n`);
  };
  try {
    await judge(jail, code, tell, gone.signal);
    response.end();
  } catch (error) {
    if (gone.signal.aborted) return;
    if (error instanceof BusyError && !response.headersSent) {
      const seconds = Math.ceil((error.retryAfterMs ?? 1000) / 1000);
      return answer(response, 503, 'text/plain', 'Too many programs run. Try again soon.', {
        'retry-after': seconds,
      });
    }
    console.error(error);
    if (response.headersSent) response.destroy();
    else answer(response, 500, 'text/plain', 'It could not be run.');
  }
}

/** @param {import('codejail').Jail} jail */
export function makeServer(jail) {
  return createServer((request, response) => {
    const { pathname } = new URL(request.url, 'http://page');
    const found = PAGES.get(pathname);
    if (request.method === 'POST' && pathname === '/run') void run(jail, request, response);
    else if (request.method === 'GET' && found !== undefined)
      answer(response, 200, found.type, found.body);
    else answer(response, 404, 'text/plain', 'There is nothing here.');
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { PORT = '3000', HOST = '127.0.0.1' } = process.env;
  const jail = createJail({ commands: { python: { bin: 'python3', warm: true } }, maxQueue: 50 });
  await jail.warmUp();
  const server = makeServer(jail).listen(Number(PORT), HOST, () => {
    console.log(`http://${HOST}:${server.address().port}/`);
  });
  process.once('SIGTERM', () => {
    server.close();
    void jail.close({ drain: true, timeoutMs: 20_000 });
  });
}
