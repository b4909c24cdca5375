// What of a page of Markdown, or of the doc comments of a source file, is a program.

/** A block of a page. */
export interface Snippet {
  /** The page, and the line of the block's first line of code. */
  readonly page: string;
  readonly line: number;
  /** What follows the fence: `js`, `ts`, `sh`, `console`, `json`, `text` … */
  readonly language: string;
  readonly code: string;
  /** What the reader does not see, and the program needs: lines before and behind it. */
  readonly before: string;
  readonly after: string;
  /** Why it is not run, where the page says so. */
  readonly notRun: string | undefined;
}

const FENCE = /^( *)```(\w*)\n([^]*?)^\1```$/gm;
const COMMENT = /<!-- (not run|before|after):\s((?:(?!-->)[^])*)-->\s*$/;

function withoutIndent(text: string, indent: string): string {
  return text
    .split('\n')
    .map((line) => (line.startsWith(indent) ? line.slice(indent.length) : line))
    .join('\n');
}

/** The comments that stand directly above a block. */
function directives(above: string): Map<string, string> {
  const found = new Map<string, string>();
  for (let rest = above; ;) {
    const [whole, name, text] = COMMENT.exec(rest) ?? [];
    if (whole === undefined || name === undefined || text === undefined) {
      return found;
    }
    found.set(name, text.trim());
    rest = rest.slice(0, rest.length - whole.length);
  }
}

/** Every block of a page, in order. */
export function snippetsOf(page: string, markdown: string): Snippet[] {
  return [...markdown.matchAll(FENCE)].map(
    ({ index, 1: indent = '', 2: language = '', 3: text = '' }) => {
      const above = markdown.slice(0, index);
      const said = directives(above);
      return {
        page,
        line: above.split('\n').length + 1,
        language,
        code: withoutIndent(text, indent),
        before: said.get('before') ?? '',
        after: said.get('after') ?? '',
        notRun: said.get('not run'),
      };
    },
  );
}

const DOC_COMMENT = /\/\*\*\n([^]*?)\*\//g;
const EXAMPLE = /^@example\n([^]*?)(?=^@|(?![^]))/gm;

/** The examples of a source file's doc comments: each a program. */
export function examplesOf(page: string, source: string): Snippet[] {
  return [...source.matchAll(DOC_COMMENT)].flatMap(({ index, 1: comment = '' }) => {
    const text = comment.replace(/^ *\* ?/gm, '');
    return [...text.matchAll(EXAMPLE)].map(({ index: at, 1: code = '' }) => ({
      page,
      line: `${source.slice(0, index)}\n${text.slice(0, at)}\n`.split('\n').length,
      language: 'js',
      code: code.replaceAll('*\\/', '*/'),
      before: '',
      after: '',
      notRun: undefined,
    }));
  });
}

/** What a program's output comments say that it prints: those behind a `console.log`, in order. */
export function expectedOutput(code: string): string[] {
  return [...code.matchAll(/\bconsole\.log\(.*\);?\s+\/\/ (.+)$/gm)].map(([, output = '']) =>
    output.trim(),
  );
}

/** The commands of a `console` block (after `$ `, and their continuations), each with what it prints. */
export function consoleSteps(code: string): { command: string; output: string[] }[] {
  const steps: { command: string; output: string[] }[] = [];
  for (const line of code.trimEnd().split('\n')) {
    const last = steps.at(-1);
    if (line.startsWith('$ ')) {
      steps.push({ command: line.slice(2), output: [] });
    } else if (last !== undefined && line.startsWith('> ') && last.output.length === 0) {
      last.command += `\n${line.slice(2)}`;
    } else {
      last?.output.push(line);
    }
  }
  return steps;
}

function pattern(expected: string): RegExp {
  const parts = expected.split('…').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`);
}

/** The expected lines that do not stand in what was printed, in this order; `…` stands for anything. */
export function missingLines(expected: readonly string[], printed: string): string[] {
  const lines = printed.split('\n').map((line) => line.trim());
  let from = 0;
  return expected.filter((each) => {
    const at = lines.findIndex((line, index) => index >= from && pattern(each.trim()).test(line));
    if (at >= 0) from = at + 1;
    return at < 0;
  });
}
