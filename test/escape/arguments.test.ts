// Guarantee `kernel`, of calls that do many things: a program asks for everything that the table does not permit.
import { constants } from 'node:os';
import { FilterPrinter, SeccompFilter, valuesToTry, type Argument } from '../support/filter';
import { CALLS } from '../support/system-calls';
import { outcomes, run, useAttackedJail } from './attack';

const attacked = useAttackedJail();

const { EINVAL } = constants.errno;

let rows: readonly Argument[] = [];
beforeAll(() => {
  const printer = new FilterPrinter();
  rows = printer.filter('deny').arguments;
  printer.end();
}, 120_000);

// With a descriptor that is none a kernel answers EBADF to what the filter lets pass; with no memory, EFAULT or nothing.
const HARMLESS: Record<number, readonly number[]> = {
  [CALLS.ioctl]: [-1, 0, 0],
  [CALLS.fcntl]: [-1, 0, 0],
  [CALLS.setsockopt]: [-1, 0, 0, 0, 0],
  [CALLS.getsockopt]: [-1, 0, 0, 0, 0],
  [CALLS.socketpair]: [0, 0, 0, 0], // without a place for the two
  [CALLS.sendto]: [-1, 0, 0, 0, 0, 0],
  [CALLS.recvfrom]: [-1, 0, 0, 0, 0, 0],
  [CALLS.recvmsg]: [-1, 0, 0],
  [CALLS.fallocate]: [-1, 0, 0, 1],
  [CALLS.preadv2]: [-1, 0, 0, 0, 0, 0],
  [CALLS.pwritev2]: [-1, 0, 0, 0, 0, 0],
  [CALLS.splice]: [-1, 0, -1, 0, 0, 0],
  [CALLS.tee]: [-1, -1, 0, 0],
  [CALLS.mprotect]: [0, 0, 0], // of nothing
  [CALLS.madvise]: [0, 0, 0], // of nothing
};

interface Question {
  readonly call: number;
  readonly index: number;
  readonly args: readonly number[];
  readonly values: readonly string[];
}

function argsOf({ call }: Argument): number[] {
  const args = [...(HARMLESS[call] ?? [0, 0, 0, 0, 0, 0])];
  for (const other of rows) {
    if (other.call === call) {
      args[other.index] = other.isBits ? 0 : (other.values[0] ?? 0);
    }
  }
  return args;
}

function question(argument: Argument, values: readonly bigint[]): Question {
  const { call, index } = argument;
  return { call, index, args: argsOf(argument), values: values.map(String) };
}

// Prints, for each question, the errno of each value.
async function ask(questions: readonly Question[]): Promise<number[][]> {
  const result = await run(
    attacked.jail,
    `
for question in json.load(open('questions.json')):
    found = []
    for value in question['values']:
        words = list(question['args'])
        words[question['index']] = int(value)
        ctypes.set_errno(0)
        words = [ctypes.c_ulong(word & 0xffffffffffffffff) for word in words]
        libc.syscall(ctypes.c_long(question['call']), *words)
        found.append(ctypes.get_errno())
    print(json.dumps(found))
`,
    { extraFiles: [['questions.json', JSON.stringify(questions)]] },
  );
  expect({ stderr: result.stderr.toString(), outcome: result.outcome }).toEqual({
    stderr: '',
    outcome: 'exited',
  });
  const lines = result.stdout.toString().trim().split('\n');
  return lines.map((line) => JSON.parse(line) as number[]);
}

describe('the table of arguments', () => {
  it('denies everything that it does not have, from 0 to 255 and beyond', async () => {
    const questions = rows.map((row) =>
      question(
        row,
        valuesToTry(row).filter((value) => !SeccompFilter.permits(row, value)),
      ),
    );
    const found = await ask(questions);
    expect(found).toHaveLength(rows.length);
    rows.forEach((row, at) => {
      const values = questions[at]?.values ?? [];
      expect(values.length).toBeGreaterThan(8);
      const others = values.filter((_, nth) => found[at]?.[nth] !== row.error);
      expect([row.call, row.index, others]).toEqual([row.call, row.index, []]);
    });
  });

  it('lets pass what it has', async () => {
    const told = rows.filter(({ call, error }) => HARMLESS[call] !== undefined && error !== EINVAL);
    expect(told.length).toBeGreaterThan(12);
    const questions = told.map((row) =>
      question(
        row,
        valuesToTry(row).filter((value) => SeccompFilter.permits(row, value)),
      ),
    );
    const found = await ask(questions);
    told.forEach((row, at) => {
      const values = questions[at]?.values ?? [];
      const others = values.filter((_, nth) => found[at]?.[nth] === row.error);
      expect([row.call, row.index, others]).toEqual([row.call, row.index, []]);
    });
  });
});

describe('kernel memory by an option', () => {
  it('denies a table of futexes (PR_FUTEX_HASH), however small', async () => {
    const found = await outcomes(
      attacked.jail,
      `
for slots in (0, 1, 2, 16):
    attempt(str(slots), call, 'prctl', PR_FUTEX_HASH, PR_FUTEX_HASH_SET_SLOTS, slots, 0, 0)
attempt('how many', call, 'prctl', PR_FUTEX_HASH, PR_FUTEX_HASH_GET_SLOTS, 0, 0, 0)
`,
    );
    const denied = 'EINVAL';
    expect(found).toEqual({ 0: denied, 1: denied, 2: denied, 16: denied, 'how many': denied });
  });

  it('denies filters on sockets', async () => {
    const found = await outcomes(
      attacked.jail,
      `
one, other = socket.socketpair()
allow_all = (ctypes.c_uint64 * 1)(6 | (0xffff << 32))
program = (ctypes.c_uint64 * 2)(1, ctypes.addressof(allow_all))
for name, option in (('attach', SO_ATTACH_FILTER), ('by program', SO_ATTACH_BPF), ('lock', SO_LOCK_FILTER),
                     ('of a group', SO_ATTACH_REUSEPORT_CBPF)):
    attempt(name, one.setsockopt, socket.SOL_SOCKET, option, bytes(program))
attempt('of any level', one.setsockopt, 17, 1, 1)
`,
    );
    expect(Object.values(found)).toEqual(['EACCES', 'EACCES', 'EACCES', 'EACCES', 'EACCES']);
  });

  it('denies Landlock domains and filters of its own', async () => {
    const found = await outcomes(
      attacked.jail,
      `
attempt('version', call, 'landlock_create_ruleset', 0, 0, LANDLOCK_CREATE_RULESET_VERSION)
attempt('ruleset', call, 'landlock_create_ruleset', (ctypes.c_uint64 * 1)(1), 8, 0)
attempt('rule', call, 'landlock_add_rule', 0, LANDLOCK_RULE_PATH_BENEATH, 0, 0)
attempt('enter', call, 'landlock_restrict_self', -1, 0)
attempt('seccomp', call, 'seccomp', SECCOMP_SET_MODE_FILTER, 0, 0)
attempt('strict', call, 'prctl', PR_SET_SECCOMP, SECCOMP_MODE_STRICT, 0, 0, 0)
`,
    );
    expect(found).toEqual({
      version: 'ENOSYS',
      ruleset: 'ENOSYS',
      rule: 'ENOSYS',
      // A cell enters its own under the filter, and has left no ruleset behind.
      enter: expect.stringMatching(/^(ENOSYS|EBADF|EINVAL)$/) as unknown,
      seccomp: 'EPERM',
      strict: 'EINVAL',
    });
  });

  it('denies bytes out of band', async () => {
    const found = await outcomes(
      attacked.jail,
      `
one, other = socket.socketpair()
attempt('send', one.send, b'x', socket.MSG_OOB)
attempt('receive', other.recv, 1, socket.MSG_OOB)
attempt('neither', one.send, b'x', socket.MSG_DONTWAIT)
`,
    );
    expect(found).toEqual({ send: 'EACCES', receive: 'EACCES', neither: 'reached' });
  });
});
