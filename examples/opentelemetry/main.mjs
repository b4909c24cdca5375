// npm start: prints the spans and metrics of two calls.
import { ConsoleMetricExporter } from '@opentelemetry/sdk-metrics';
import { ConsoleSpanExporter } from '@opentelemetry/sdk-trace-base';
import { createJail } from 'codejail';
import { grade } from './grade.mjs';
import { startTelemetry } from './telemetry.mjs';

const jail = createJail();
const stop = startTelemetry(new ConsoleSpanExporter(), new ConsoleMetricExporter(), {
  grader: jail,
});
await grade(jail, 'ada', ['print(6 * 7)', 'raise ValueError']);
await stop();
await jail.close();
