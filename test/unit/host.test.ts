import { lstatSync } from 'node:fs';
import { hostFacts, kernelIsRecent, ownNamespaces } from '../../lib/host/host';
import { leaseDirectory } from '../../lib/host/lease-directory';
import { native } from '../../lib/native/addon';

describe('kernelIsRecent', () => {
  it.each([
    ['5.13.19-generic', false],
    ['5.14.0', true],
    ['5.4.0-150-generic', false],
    ['6.1.0-18-amd64', true],
    ['10.0', true],
    ['4.19.0', false],
    ['nonsense', false],
  ])('%s: %s', (release, expected) => {
    expect(kernelIsRecent(release)).toBe(expected);
  });
});

describe('hostFacts', () => {
  it('tells who this process is and what its kernel offers', () => {
    const facts = hostFacts();
    expect(facts.uid).toBe(process.geteuid?.());
    expect(facts.gid).toBe(process.getegid?.());
    expect(facts.landlock).toBeGreaterThanOrEqual(0);
    expect(facts.userNamespaces.allowed).toBe(facts.userNamespaces.why === '');
    // Without any capability a process is an ordinary user, whatever its uid.
    if (facts.uid !== 0) {
      expect(facts.kind).toBe('user');
    }
  });
});

describe('a kernel that does not say whether it has Landlock', () => {
  it('is not taken for one without it', () => {
    jest.spyOn(native().addon, 'landlockAbi').mockImplementationOnce(() => {
      throw Object.assign(new Error(), { errno: 1, syscall: 'landlock_create_ruleset' });
    });
    expect(() => hostFacts()).toThrow(
      expect.objectContaining({
        code: 'ERR_CODEJAIL_SETUP',
        step: 'look at the host',
        errnoName: 'EPERM',
        syscall: 'landlock_create_ruleset',
        message: expect.stringContaining('bring the runtime up to date') as string,
      }) as Error,
    );
  });
});

describe('ownNamespaces', () => {
  it('tells those that a jail must not share', async () => {
    const { net, pid, user } = await ownNamespaces();
    expect(net).toMatch(/^net:\[\d+\]$/);
    expect(pid).toMatch(/^pid:\[\d+\]$/);
    expect(user).toMatch(/^user:\[\d+\]$/);
  });
});

describe('leaseDirectory', () => {
  it('is one that only its owner can write in', () => {
    const status = lstatSync(leaseDirectory());
    expect(status.isDirectory()).toBe(true);
    expect(status.uid).toBe(process.geteuid?.());
    expect(status.mode & 0o022).toBe(0);
  });
});
