// The server's side of injector.cc: lines over descriptor 3.
import { Socket } from 'node:net';

/** How often processes of a role make a system call. */
export interface Count {
  role: string;
  call: number;
  /** In the process that makes it most often. */
  most: number;
  processes: number;
}

/** One system call that is to fail. */
export interface Fault {
  role: string;
  call: number;
  /** From 1 on, in one process and role. */
  occurrence: number;
  errno: number;
  /** Whether the call is made all the same, as the kernel closes a descriptor whatever it answers. */
  isMade: boolean;
}

/** What injects faults into this process and the jails that it makes. */
export class Tracer {
  readonly #socket = new Socket({ fd: 3 });
  readonly #waiting: ((line: string) => void)[] = [];
  #text = '';

  constructor() {
    this.#socket.on('data', (chunk: Buffer) => {
      const lines = (this.#text + chunk.toString()).split('\n');
      this.#text = lines.pop() ?? '';
      lines.forEach((line) => this.#waiting.shift()?.(line));
    });
  }

  async #ask(line: string): Promise<string> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#socket.write(`${line}\n`);
    });
  }

  async #obey(line: string): Promise<void> {
    const answer = await this.#ask(line);
    if (answer !== 'ok') {
      throw new Error(`${line}: ${answer}`);
    }
  }

  /** Threads that start from now on are those which start launchers. */
  async begin(): Promise<void> {
    await this.#obey('begin');
  }

  async record(): Promise<void> {
    await this.#obey('record');
  }

  async counts(): Promise<Count[]> {
    const answer = await this.#ask('counts');
    return answer
      .split(',')
      .filter(Boolean)
      .map((entry) => {
        const [role = '', ...numbers] = entry.split(' ');
        const [call = 0, most = 0, processes = 0] = numbers.map(Number);
        return { role, call, most, processes };
      });
  }

  async arm({ role, call, occurrence, errno, isMade }: Fault): Promise<void> {
    await this.#obey(`arm ${role} ${call} ${occurrence} ${errno} ${isMade ? 'after' : 'instead'}`);
  }

  /** Whether the fault came to be. */
  async disarm(): Promise<boolean> {
    return (await this.#ask('disarm')) !== '0';
  }

  /** The roles of all processes that jails are made of. */
  async alive(): Promise<string[]> {
    const answer = await this.#ask('alive');
    return answer
      .split(',')
      .filter(Boolean)
      .map((entry) => entry.split(' ')[1] ?? '')
      .sort();
  }

  end(): void {
    this.#socket.destroy();
  }
}
