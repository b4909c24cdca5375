// The grades, by the submission's id: the first that is recorded counts, whatever is recorded after it.
const key = (id) => `grade:${id}`;

/** Grades in Redis. Elsewhere it would be a table with a unique column. */
export class Grades {
  #redis;

  /** @param {import('ioredis').Redis} redis */
  constructor(redis) {
    this.#redis = redis;
  }

  /** The grade of a submission, or null. */
  async find(id) {
    return JSON.parse(await this.#redis.get(key(id)));
  }

  /** Records a grade, and resolves to the one that counts: two workers may have had the job, where one was thought lost. */
  async record(id, grade) {
    const first = await this.#redis.set(key(id), JSON.stringify(grade), 'NX');
    return first === 'OK' ? grade : this.find(id);
  }
}
