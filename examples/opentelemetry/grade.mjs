// A request, as a server's own instrumentation would trace it; the calls that it makes are below it.
import { trace } from '@opentelemetry/api';
import { SafeExecError } from 'codejail';

/** @param {import('codejail').Jail} jail */
export async function grade(jail, student, programs) {
  return trace.getTracer('example').startActiveSpan('POST /grade', async (span) => {
    try {
      for (const code of programs) {
        await jail.safeExec(code, {}, { slug: student }).catch((error) => {
          if (!(error instanceof SafeExecError)) throw error;
        });
      }
    } finally {
      span.end();
    }
  });
}
