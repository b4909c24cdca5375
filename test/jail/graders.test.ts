// The ways in which graders use a jail: no code, directories of their own, a module as the program.
import { join } from 'node:path';
import type { JailCodeOptions, JailResult } from '../../lib/index';
import { watchLeftovers } from '../support/leftovers';
import { useSuite } from '../support/suite';

const suite = useSuite();
watchLeftovers();

async function run(options: JailCodeOptions): Promise<JailResult> {
  return suite.jail.jailCode('python', options);
}

function directory(name: string, files: Record<string, string>): string {
  for (const [path, content] of Object.entries(files)) {
    suite.file(`${name}/${path}`, content);
  }
  return join(suite.folder, name);
}

describe('a grader', () => {
  it('supports a module as the program, with the submission beside it', async () => {
    const grader = directory('grader', {
      '__init__.py': '',
      'tools.py': 'def verdict(ok): return "right" if ok else "wrong"',
      'run.py': [
        'import importlib, sys',
        'from .tools import verdict',
        'answer = importlib.import_module(sys.argv[1] + ".answer")',
        'print(verdict(answer.double(4) == 8), __name__, __package__)',
      ].join('\n'),
    });
    const submission = directory('submission', {
      'answer.py': 'def double(x): return x * 2',
    });
    const { stdout, stderr } = await run({
      files: [grader, submission],
      argv: ['-m', 'grader.run', 'submission'],
    });
    expect(stderr.toString()).toBe('');
    expect(stdout.toString()).toBe('right __main__ grader\n');
  });

  it('supports a directory that is a program', async () => {
    const program = directory('program', {
      '__main__.py': 'import helper; print(helper.value)',
      'helper.py': 'value = 7',
    });
    const { stdout } = await run({ files: [program], argv: ['program'] });
    expect(stdout.toString()).toBe('7\n');
  });

  it('supports the data beside its modules', async () => {
    const grader = directory('grader', {
      '__init__.py': '',
      'cases/1.txt': 'one',
      'cases/2.txt': 'two',
      'run.py':
        'from importlib.resources import files\nprint(sorted(p.read_text() for p in files("grader").joinpath("cases").iterdir()))',
    });
    const { stdout, stderr } = await run({ files: [grader], argv: ['-m', 'grader.run'] });
    expect(stderr.toString()).toBe('');
    expect(stdout.toString()).toBe("['one', 'two']\n");
  });

  it('supports unittest, and the status that tells of its failure', async () => {
    const tests = directory('tests', {
      '__init__.py': '',
      'test_answer.py': [
        'import unittest',
        'from answer import double',
        'class Test(unittest.TestCase):',
        '    def test_one(self): self.assertEqual(double(1), 2)',
        '    def test_text(self): self.assertEqual(double("a"), "aa")',
      ].join('\n'),
    });
    const grade = async (answer: string): Promise<JailResult> =>
      run({
        files: [tests],
        extraFiles: [['answer.py', answer]],
        argv: ['-m', 'unittest', 'discover', '-s', 'tests', '-t', '.'],
      });
    const right = await grade('def double(x): return x * 2');
    expect([right.status, right.stderr.toString()]).toEqual([0, expect.stringContaining('OK')]);
    const wrong = await grade('def double(x): return x ** 2 * 2');
    expect(wrong.status).toBe(1);
    expect(wrong.stderr.toString()).toContain('FAILED');
  });

  it('supports the submission on standard input, and the verdict in a file', async () => {
    const grader = suite.file(
      'grade.py',
      [
        'import json, sys',
        'space = {}',
        'exec(sys.stdin.read(), space)',
        'with open("tmp/verdict.json", "w") as f: json.dump({"score": space["f"](3)}, f)',
      ].join('\n'),
    );
    const { collected } = await run({
      files: [grader],
      argv: ['grade.py'],
      stdin: 'print("noise")\ndef f(x): return x + 1',
      collect: ['verdict.json'],
      limits: { fsize: 1000 },
    });
    expect(collected[0]?.content.toString()).toBe('{"score": 4}');
  });
});
