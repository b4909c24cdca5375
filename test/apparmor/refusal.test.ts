// A profile that can't be relied upon: nothing runs, and the error says what to do.
import { createJail } from '../../lib/index';
import { describeWithAppArmor } from '../support/apparmor';

describeWithAppArmor('a profile that is not loaded', () => {
  it('denies the call, and names the command that loads it', async () => {
    const jail = createJail({
      commands: { python: { bin: '/usr/bin/python3', profile: 'codejail-no-such-profile' } },
    });
    await expect(jail.jailCode('python', { code: 'print("ran")' })).rejects.toMatchObject({
      code: 'ERR_CODEJAIL_UNCONFINED',
      missing: [{ guarantee: 'files', why: expect.stringContaining('errno 2') as string }],
    });
    await jail.close();
  });
});
