import { InvalidArgumentError } from '../../lib/errors';
import { createJail } from '../../lib/index';
import { environmentIgnored, requireHeeded } from '../../lib/options/python-variables';

describe('arguments by which a Python ignores its variables', () => {
  it.each([
    [['-E', '-B']],
    [['-B', '-E']],
    [['-BE']],
    [['-I']],
    [['-u', '-sI']],
    [['-X', 'utf8', '-E']],
    [['-W', 'error', '-E']],
  ])('are known in %j', (args) => {
    expect(environmentIgnored(args)).toBe(args.find((word) => /[EI]/.test(word)));
  });

  it.each([
    [[]],
    [['-B']],
    [['-X', 'IE']],
    [['-WE']],
    [['script.py', '-E']],
    [['-m', 'pkg', '-E']],
    [['-c', 'print(1)', '-I']],
    [['-', '-E']],
  ])('are not seen in %j', (args) => {
    expect(environmentIgnored(args)).toBeUndefined();
  });
});

describe('a variable that Python would ignore', () => {
  const command = { name: 'python', args: ['-E', '-B'] };

  it.each(['PYTHONUNBUFFERED', 'PYTHONHASHSEED', 'PYTHONPATH', 'PYTHON_GIL', 'PYTHON_COLORS'])(
    'is refused: %s',
    (name) => {
      expect(() => {
        requireHeeded({ A: '1', [name]: '1' }, command, 'options.env');
      }).toThrow(
        new RegExp(
          `^options\\.env\\.${name} would be ignored: the command "python" runs Python with -E`,
        ),
      );
    },
  );

  it.each(['PYTHON_EGG_CACHE', 'PYTHONIC_NAME', 'PYTHON', 'python', 'LANG'])(
    'is none of a package: %s is allowed',
    (name) => {
      expect(() => {
        requireHeeded({ [name]: '1' }, command, 'options.env');
      }).not.toThrow();
    },
  );

  it('is allowed where the arguments let it be heard', () => {
    expect(() => {
      requireHeeded({ PYTHONHASHSEED: '0' }, { name: 'python', args: ['-B'] }, 'options.env');
    }).not.toThrow();
  });

  it('is refused in a command too, whose arguments are -E -B for "python" alone', async () => {
    const jail = createJail();
    const env = { PYTHONHASHSEED: '0' };
    try {
      expect(() => {
        jail.configure('python', { bin: 'python3', env });
      }).toThrow(InvalidArgumentError);
      jail.configure('python', { bin: 'python3', env, args: ['-B'] });
      jail.configure('other', { bin: 'python3', env });
      jail.configure('grep', { bin: 'grep', args: ['-E'], env });
      expect(() => createJail({ commands: { python: { bin: 'python3', env } } })).toThrow(
        /^options\.commands\.python\.env\.PYTHONHASHSEED /,
      );
    } finally {
      await jail.close();
    }
  });
});
