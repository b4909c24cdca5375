// `codejail mcp`, as the SDK's own client sees it.
import { cpSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { CODEJAIL, codejail, ending, start } from '../support/command-line';
import { watchLeftovers } from '../support/leftovers';
import { useSuite } from '../support/suite';

const connections: Connection[] = [];
// Before what is left is looked for.
afterEach(async () => {
  await Promise.all(connections.splice(0).map(async ({ client }) => client.close()));
});
watchLeftovers();
const suite = useSuite();

// Machines are slow, and shared.
const UNHURRIED = ['--realtime', '25', '--cpu', '15'];
const TIMEOUT = { timeout: 60_000 };

interface Part {
  type: string;
  text?: string;
  mimeType?: string;
  data?: string;
  resource?: { uri: string; mimeType: string; blob: string };
}

/** A client, and what it is told. */
class Connection {
  readonly client = new Client({ name: 'test', version: '1.0.0' });
  readonly #transport: StdioClientTransport;

  constructor(words: readonly string[]) {
    this.#transport = new StdioClientTransport({
      command: process.execPath,
      args: [CODEJAIL, 'mcp', ...UNHURRIED, ...words],
      cwd: suite.folder,
      stderr: 'inherit',
    });
  }

  async open(): Promise<void> {
    await this.client.connect(this.#transport, TIMEOUT);
  }

  async call(name: string, given: Record<string, unknown> = {}, signal?: AbortSignal) {
    const answer = await this.client.callTool({ name, arguments: given }, undefined, {
      ...TIMEOUT,
      ...(signal === undefined ? {} : { signal }),
    });
    const parts = answer.content as Part[];
    return {
      isError: answer.isError === true,
      parts,
      texts: parts.map(({ type, text }) => text ?? type),
    };
  }

  async run(code: string) {
    return this.call('run_python', { code });
  }
}

async function connect(...words: string[]): Promise<Connection> {
  const connection = new Connection(words);
  connections.push(connection);
  await connection.open();
  return connection;
}

it('tells of four tools, and of what their arguments are', async () => {
  const { client } = await connect();
  const { tools } = await client.listTools();
  expect(tools.map(({ name, inputSchema }) => [name, inputSchema.required])).toEqual([
    ['run_python', ['code']],
    ['reset', []],
    ['list_files', []],
    ['read_file', ['path']],
  ]);
  expect(client.getServerVersion()).toMatchObject({ name: 'codejail' });
});

it('has a session for each connection, whose variables stay until it is reset', async () => {
  const [connection, other] = await Promise.all([connect(), connect()]);
  expect((await connection.run('x = 20')).texts).toEqual([
    'Done: nothing was printed, and there is no value.',
  ]);
  const code = 'import sys\nprint("out")\nprint("aside", file=sys.stderr)\nx + 1';
  expect(await connection.run(code)).toMatchObject({
    isError: false,
    texts: ['stdout:\nout\n', 'stderr:\naside\n', 'value:\n21'],
  });
  const unknown = /^exception:\nNameError: name 'x' is not defined.* \(line 1\)$/;
  expect((await other.run('x')).texts.at(-1)).toMatch(unknown);
  await connection.run('open("tmp/file", "w").close()');
  await connection.call('reset');
  expect((await connection.call('list_files')).texts).toEqual(['[]']);
  expect((await connection.run('x')).texts.at(-1)).toMatch(unknown);
});

it('tells what code raises, and keeps its variables', async () => {
  const connection = await connect();
  const answer = await connection.run('y = 5\n1 / 0');
  expect(answer.isError).toBe(true);
  expect(answer.texts).toEqual([
    expect.stringMatching(/^stderr:\nTraceback[^]*ZeroDivisionError/),
    'exception:\nZeroDivisionError: division by zero (line 2)',
  ]);
  expect((await connection.run('y')).texts).toEqual(['value:\n5']);
});

it('shows images as images, and what else a value shows as text', async () => {
  const connection = await connect();
  const { parts } = await connection.run(
    `class Shown:
    def _repr_png_(self): return b'\\x89PNG\\r\\n\\x1a\\n'
    def _repr_html_(self): return '<b>it</b>'
    def __repr__(self): return 'it'
Shown()`,
  );
  expect(parts).toEqual([
    { type: 'text', text: 'value:\nit' },
    { type: 'text', text: 'text/html:\n<b>it</b>' },
    { type: 'image', mimeType: 'image/png', data: 'iVBORw0KGgo=' },
  ]);
});

it('stops code that meets a limit, or that the client cancels: the variables are as before', async () => {
  const connection = await connect('--cpu', '1');
  await connection.run('x = 1');
  const answer = await connection.run('x = 2\nwhile True: pass');
  expect(answer.isError).toBe(true);
  expect(answer.texts.at(-1)).toMatch(/^Stopped: cpu-limit\.[^]*as they were before/);

  const cancellation = new AbortController();
  const endless = { code: 'x = 3\nwhile True: print(end="")' };
  const outcome = expect(
    connection.call('run_python', endless, cancellation.signal),
  ).rejects.toThrow('enough');
  await connection.call('list_files');
  cancellation.abort(new Error('enough'));
  await outcome;
  expect((await connection.run('x')).texts).toEqual(['value:\n1']);
});

it('opens a new session where the one before is lost, and tells it once', async () => {
  const connection = await connect('--idle', '4');
  await connection.run('x = 1');
  await new Promise((resolve) => {
    setTimeout(resolve, 5000);
  });
  expect((await connection.run('"x" in globals()')).texts).toEqual([
    expect.stringMatching(/^The Python session was lost.*not used for too long.*in a new one\.$/),
    'value:\nFalse',
  ]);
  expect((await connection.run('1')).texts).toEqual(['value:\n1']);
});

it('gives the code files and variables of the environment, and --max-text of what it prints', async () => {
  suite.file('data.csv', '1,2\n');
  const words = ['--file', 'data.csv', '--env', 'COLOUR=red', '--max-text', '20'];
  const connection = await connect(...words);
  const code = 'import os\nopen("data.csv").read(), os.environ["COLOUR"]';
  expect((await connection.run(code)).texts).toEqual(["value:\n('1,2\\n', 'red')"]);
  const alphabet = 'print("abcdefghijklmnopqrstuvwxyz", end="")';
  expect((await connection.run(alphabet)).texts).toEqual([
    'stdout:\nabcdefghij\n… 6 characters left out …\nqrstuvwxyz',
  ]);
});

it('lists and reads files: text, images, other bytes', async () => {
  const connection = await connect();
  await connection.run(
    `import os
os.mkdir('tmp/data')
open('tmp/data/rows.csv', 'w').write('é,2\\n')
open('tmp/plot.png', 'wb').write(b'\\x89PNG\\r\\n\\x1a\\n')
open('tmp/bytes', 'wb').write(b'\\xff\\x00')
os.symlink('/etc/passwd', 'tmp/link')`,
  );
  expect(JSON.parse((await connection.call('list_files')).texts[0]!)).toEqual(
    expect.arrayContaining(['tmp/bytes', 'tmp/data/rows.csv', 'tmp/plot.png']),
  );
  const read = async (path: string) => (await connection.call('read_file', { path })).parts[0];
  expect(await read('tmp/data/rows.csv')).toEqual({ type: 'text', text: 'é,2\n' });
  expect(await read('plot.png')).toMatchObject({ type: 'image', mimeType: 'image/png' });
  expect((await read('tmp/bytes'))?.resource).toMatchObject({ blob: '/wA=' });
  expect((await read('tmp/link'))?.text).toContain('There is no file');
  expect((await read('../../etc/passwd'))?.text).toContain('must not have');
});

it('tells what a client asks wrongly', async () => {
  const connection = await connect();
  for (const [name, given, message] of [
    ['run_python', {}, 'run_python needs the argument code, a text'],
    ['run_python', { code: 1 }, 'run_python needs the argument code, a text'],
    ['run_python', { code: '1', more: '2' }, 'run_python has no argument "more"'],
    ['read_file', { path: 'tmp/none' }, 'There is no file "tmp/none": see list_files'],
    ['run_shell', {}, 'There is no tool "run_shell"'],
  ] as const) {
    const { isError, texts } = await connection.call(name, given);
    expect({ isError, text: texts[0] }).toEqual({
      isError: true,
      text: expect.stringContaining(message) as unknown,
    });
  }
});

describe('the command', () => {
  it('names the package to install where there is none', async () => {
    // A copy of the package where no SDK is beside it.
    const root = join(__dirname, '../..');
    const copy = join(suite.folder, 'node_modules/codejail');
    mkdirSync(join(suite.folder, 'node_modules'), { recursive: true });
    for (const name of ['dist', 'package.json']) {
      cpSync(join(root, name), join(copy, name), { recursive: true });
    }
    for (const name of ['commander', 'picocolors']) {
      symlinkSync(join(root, 'node_modules', name), join(suite.folder, 'node_modules', name));
    }
    symlinkSync(join(root, 'build'), join(copy, 'build'));
    const child = start(['mcp'], { script: join(copy, 'dist/cli/codejail.js') });
    const { status, stderr } = await ending(child);
    expect(status).toBe(1);
    expect(stderr).toBe(
      'codejail: the package @modelcontextprotocol/sdk is not installed, which speaks the protocol\n' +
        '  Install it beside codejail: npm install @modelcontextprotocol/sdk\n',
    );
  });

  it('leaves nothing when the client goes, in the middle of a call too', async () => {
    const connection = await connect();
    await connection.run('1');
    const outcome = expect(connection.run('while True: pass')).rejects.toThrow();
    await connection.call('list_files');
    await connection.client.close();
    await outcome;
  });

  it('ends well when its input does', async () => {
    expect(await codejail(['mcp'], { cwd: suite.folder })).toMatchObject({
      status: 0,
      stdout: '',
      stderr: '',
    });
  });

  it('ends by the signal that ends it', async () => {
    const child = start(['mcp'], { cwd: suite.folder });
    const request = {
      ...{ jsonrpc: '2.0', id: 1, method: 'initialize' },
      params: {
        ...{ protocolVersion: '2025-06-18', capabilities: {} },
        clientInfo: { name: 'test', version: '1' },
      },
    };
    child.stdin.write(`${JSON.stringify(request)}\n`);
    await new Promise((resolve) => child.stdout.once('data', resolve));
    child.kill('SIGTERM');
    expect(await ending(child)).toMatchObject({ status: null, signal: 'SIGTERM' });
  });
});
