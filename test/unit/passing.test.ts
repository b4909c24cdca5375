// What passes is nobody's argument: EMFILE and the like are told as a step that failed.
import promises from 'node:fs/promises';
import { checkFiles } from '../../lib/options/files';
import { isPassing } from '../../lib/passing';
import { discoverRuntime } from '../../lib/host/runtime';

function failure(code: string, errno: number): Error {
  return Object.assign(new Error(`${code}: open '/x'`), { code, errno, syscall: 'open' });
}

const PASSING = [
  ['EMFILE', -24],
  ['ENFILE', -23],
  ['ENOMEM', -12],
  ['EIO', -5],
  ['EAGAIN', -11],
  ['ETIMEDOUT', -110],
] as const;
const LASTING = [
  ['ENOENT', -2],
  ['EACCES', -13],
  ['ELOOP', -40],
  ['ENOTDIR', -20],
] as const;

afterEach(() => {
  jest.restoreAllMocks();
});

it.each(PASSING)('takes %s for a failure that passes', async (code, errno) => {
  expect(isPassing(failure(code, errno))).toBe(true);
  jest.spyOn(promises, 'lstat').mockRejectedValue(failure(code, errno));
  const expected = { code: 'ERR_CODEJAIL_SETUP', errnoName: code };
  await expect(
    checkFiles([{ path: '/etc/passwd', name: 'passwd', argument: 'options.files[0]' }]),
  ).rejects.toMatchObject(expected);
  const context = { argument: 'commands.true.bin', ask: async () => Promise.resolve(undefined) };
  await expect(
    discoverRuntime({ bin: '/bin/true', readPaths: [], python: undefined }, context),
  ).rejects.toMatchObject(expected);
});

it.each(LASTING)('takes %s for one of the path', async (code, errno) => {
  expect(isPassing(failure(code, errno))).toBe(false);
  jest.spyOn(promises, 'lstat').mockRejectedValue(failure(code, errno));
  await expect(
    checkFiles([{ path: '/etc/passwd', name: 'passwd', argument: 'options.files[0]' }]),
  ).rejects.toMatchObject({
    code: 'ERR_CODEJAIL_INVALID_ARGUMENT',
    argument: 'options.files[0]',
  });
});

it('takes no other error for either', () => {
  expect(isPassing(new TypeError('no'))).toBe(false);
  expect(isPassing(undefined)).toBe(false);
});
