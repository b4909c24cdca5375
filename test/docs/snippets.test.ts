// Every program that README, docs/, SECURITY.md and the doc comments of the public API show, run as it stands there. A page
// says why one is not run (`<!-- not run: needs root -->` above it); what its reader does not see, and it needs, stands above
// it too (`<!-- before: … -->`, `<!-- after: … -->`). A comment behind `console.log(…)` is what that prints.
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { ReadersProject, ROOT, type Complaint } from './project';
import {
  consoleSteps,
  examplesOf,
  expectedOutput,
  missingLines,
  snippetsOf,
  type Snippet,
} from './snippets';

const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

const PAGES = [
  'README.md',
  'SECURITY.md',
  ...readdirSync(join(ROOT, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
].map((page) => ({ page, snippets: snippetsOf(page, read(page)) }));

/** What users see of lib/: what index.ts passes on, and the class that a jail extends. */
const SOURCES = [
  ...new Set([
    'index.ts',
    'jail/configuration.ts',
    ...['observability/prometheus.ts', 'observability/opentelemetry.ts'],
    ...[...read('lib/index.ts').matchAll(/from '\.\/(.+)'/g)].map(([, path]) => `${path}.ts`),
  ]),
].map((path) => ({
  page: `lib/${path}`,
  snippets: examplesOf(`lib/${path}`, read(`lib/${path}`)),
}));

const MODULES = ['js', 'ts'];
const RUN = [...MODULES, 'sh', 'console', 'json'];
/** What is no program: a drawing, or what a program prints. */
const TEXT = ['text'];

const runs = ({ notRun }: Snippet): boolean => notRun === undefined;
const title = ({ line, language }: Snippet): string => `line ${line} (${language})`;

function asModule(snippet: Snippet): Snippet {
  const plain = (code: string): string =>
    ts.transpile(code, { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ES2022 });
  return snippet.language === 'ts'
    ? { ...snippet, before: plain(snippet.before), code: plain(snippet.code) }
    : snippet;
}

/** What a process's default jail keeps, or counts: a page with it has a process of its own. */
const KEPT = /(?<!\.)\b(?:configure|stats|applySettings)\(/;

const isProgram = ({ language }: Snippet): boolean => RUN.includes(language);
const isModule = ({ language }: Snippet): boolean => MODULES.includes(language);
const isTestFile = ({ code }: Snippet): boolean => code.includes("from 'node:test'");
const all = [...PAGES, ...SOURCES];

/** Modules by the process that runs them: proving the confinement is most of what a process does here. */
function processes(): Snippet[][] {
  const pages = all.map(({ snippets }) =>
    snippets.filter((each) => isModule(each) && runs(each) && !isTestFile(each)),
  );
  const keeps = (snippets: Snippet[]) => snippets.some(({ code }) => KEPT.test(code));
  return [pages.filter((each) => !keeps(each)).flat(), ...pages.filter(keeps)];
}

function runEverything(project: ReadersProject): Map<Snippet, Complaint> {
  const found = new Map<Snippet, Complaint>();
  for (const snippets of processes()) {
    const complaints = project.runModules(snippets.map(asModule));
    for (const [index, snippet] of snippets.entries())
      found.set(snippet, complaints[index] ?? null);
  }
  for (const snippet of all.flatMap(({ snippets }) => snippets).filter(runs)) {
    if (isModule(snippet) && isTestFile(snippet)) {
      found.set(snippet, project.runProgram(asModule(snippet)));
    }
    if (snippet.language === 'sh') found.set(snippet, project.runShell(snippet));
    if (snippet.language === 'console') found.set(snippet, project.runConsole(snippet));
  }
  return found;
}

let complaints: Map<Snippet, Complaint>;
beforeAll(() => {
  const project = new ReadersProject();
  try {
    complaints = runEverything(project);
  } finally {
    project.remove();
  }
}, 600_000);

describe.each(all.filter(({ snippets }) => snippets.some(isProgram)))('$page', ({ snippets }) => {
  for (const snippet of snippets) {
    if (snippet.notRun !== undefined) {
      it.skip(`${title(snippet)} is not run: ${snippet.notRun}`, () => undefined);
    } else if (snippet.language === 'json') {
      it(`${title(snippet)} is JSON`, () => {
        expect(() => JSON.parse(snippet.code) as unknown).not.toThrow();
      });
    } else if (isProgram(snippet)) {
      it(`${title(snippet)} does what it says`, () => {
        expect(complaints.get(snippet)).toBeNull();
      });
    }
  }
});

describe('snippets', () => {
  const programs = all.flatMap(({ snippets }) => snippets);

  it('are run, or say why not', () => {
    const silent = programs.filter(
      (snippet) => runs(snippet) && ![...RUN, ...TEXT].includes(snippet.language),
    );
    expect(silent.map(({ page, line, language }) => `${page}:${line} ${language}`)).toEqual([]);
    const reasons = programs.map(({ notRun }) => notRun).filter((reason) => reason !== undefined);
    expect(reasons.filter((reason) => reason.split(' ').length < 2)).toEqual([]);
  });

  it('of TypeScript have no type error', () => {
    const project = new ReadersProject();
    try {
      const files = programs
        .filter((snippet) => snippet.language === 'ts' && runs(snippet))
        .map((snippet) =>
          project.write(
            `${snippet.page.replaceAll(/\W/g, '-')}-${snippet.line}.mts`,
            `${snippet.before}\n${snippet.code}\nexport {};\n`,
          ),
        );
      expect(files).not.toEqual([]);
      const words =
        '--noEmit --skipLibCheck --strict --exactOptionalPropertyTypes --module node20 --target es2022 --types node';
      const typeRoots = ['--typeRoots', join(ROOT, 'node_modules/@types')];
      const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
      execFileSync(process.execPath, [tsc, ...words.split(' '), ...typeRoots, ...files], {
        cwd: project.folder,
        encoding: 'utf8',
      });
    } catch (error) {
      throw new Error((error as { stdout?: string }).stdout, { cause: error });
    } finally {
      project.remove();
    }
  });
});

describe('what finds snippets', () => {
  const page = [
    'Text',
    '',
    '<!-- not run: needs root -->',
    '',
    '```sh',
    'echo root',
    '```',
    '',
    '<!-- before:',
    'const x = 1;',
    '-->',
    '',
    '<!-- after: done(); -->',
    '',
    '```js',
    'console.log(x); // 1',
    '// a remark',
    '```',
  ].join('\n');

  it('tells the reason of one that is not run, and what stands above one', () => {
    const [first, second] = snippetsOf('page', page);
    expect(first).toMatchObject({ language: 'sh', line: 6, notRun: 'needs root', before: '' });
    expect(second).toMatchObject({
      ...{ language: 'js', line: 16, notRun: undefined },
      ...{ before: 'const x = 1;', after: 'done();' },
    });
    expect(expectedOutput(second!.code)).toEqual(['1']);
  });

  it('takes a comment of a doc comment for code only where it is an example', () => {
    const source =
      '/**\n * What it does.\n * @example\n * f();\n * @throws Error\n */\nfunction f() {}\n';
    expect(examplesOf('f.ts', source)).toMatchObject([{ line: 4, code: 'f();\n' }]);
  });

  it('reads a transcript', () => {
    expect(consoleSteps('$ echo 1 \\\n> 2\n1 2\n$ true\n')).toEqual([
      { command: 'echo 1 \\\n2', output: ['1 2'] },
      { command: 'true', output: [] },
    ]);
  });

  it('misses a line that was not printed, or in another order', () => {
    expect(missingLines(['a', 'b … d'], 'a\nx\nb c d\n')).toEqual([]);
    expect(missingLines(['b', 'a'], 'a\nb\n')).toEqual(['a']);
    expect(missingLines(['a'], 'aa\n')).toEqual(['a']);
  });

  it('complains of a snippet that throws, or prints something else', () => {
    const project = new ReadersProject();
    try {
      const of = (code: string): Snippet => ({
        ...{ page: 'page', language: 'js', code, before: '', after: '', notRun: undefined },
        line: code.length,
      });
      const found = project.runModules([
        of('console.log(1 + 1); // 2'),
        of('console.log(1 + 1 + 0); // 3'),
        of("throw new Error('so')"),
      ]);
      expect(found).toEqual([
        null,
        expect.stringContaining('should have printed ["3"]'),
        expect.stringContaining('Error: so'),
      ]);
    } finally {
      project.remove();
    }
  });
});
